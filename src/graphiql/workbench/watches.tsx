import { useGraphiQL } from '@graphiql/react';
import { useEffect } from 'react';
import { usePage } from './page-context.ts';

/** Lets attached files follow GraphiQL's tabs. */
export function TabWatch() {
  const { attachments } = usePage();
  const tabs = useGraphiQL((state) => state.tabs);
  const active = useGraphiQL((state) => state.activeTabIndex);
  useEffect(() => {
    attachments.showTabs(
      tabs.map(({ id }) => id),
      tabs[active]?.id ?? '',
    );
  }, [attachments, tabs, active]);
  return null;
}

/** Remembers which editor had the cursor last. */
export function EditorWatch() {
  const { lastEditor } = usePage();
  const query = useGraphiQL((state) => state.queryEditor);
  const variables = useGraphiQL((state) => state.variableEditor);
  useEffect(() => {
    const listeners = [query, variables].map((editor) =>
      editor?.onDidFocusEditorText(() => {
        lastEditor.current = editor;
      }),
    );
    return () => {
      for (const listener of listeners) listener?.dispose();
    };
  }, [query, variables, lastEditor]);
  return null;
}
