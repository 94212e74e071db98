import { useGraphiQL } from '@graphiql/react';
import { useEffect } from 'react';
import { usePage } from './page-context.ts';
import { EDITS_TITLE, showPanel } from './show-panel.ts';
import { storeTabs } from './stored-tabs.ts';

/** Keeps attached files and runs in sync with GraphiQL's tabs. */
export function TabWatch() {
  const { attachments, runs } = usePage();
  const tabs = useGraphiQL((state) => state.tabs);
  const active = useGraphiQL((state) => state.activeTabIndex);
  useEffect(() => {
    const ids = tabs.map(({ id }) => id);
    const activeId = tabs[active]?.id ?? '';
    attachments.showTabs(ids, activeId);
    runs.showTabs(ids, activeId);
  }, [attachments, runs, tabs, active]);
  return null;
}

/** Remembers which editor last had the cursor. */
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

/** Shows the Edits panel if the page was opened by the link of an edit. */
export function LinkWatch() {
  const { openEdit } = usePage();
  useEffect(() => {
    if (openEdit.get() !== null) showPanel(EDITS_TITLE);
  }, [openEdit]);
  return null;
}

/**
 * Stores the tabs when the page closes, so that a reload restores them exactly, and when another
 * viewer signs in, for whom GraphiQL starts anew.
 */
export function TabStore() {
  const { session } = usePage();
  const tabs = useGraphiQL((state) => state.tabs);
  const activeTabIndex = useGraphiQL((state) => state.activeTabIndex);
  const query = useGraphiQL((state) => state.queryEditor);
  const variables = useGraphiQL((state) => state.variableEditor);
  const keepsHeaders = useGraphiQL((state) => state.shouldPersistHeaders);
  useEffect(() => {
    const store = () => {
      const current = tabs.map((tab, index) => ({
        ...tab,
        headers: keepsHeaders ? tab.headers : null,
        // GraphiQL copies them from the editors shortly after they change.
        ...(index === activeTabIndex && query && { query: query.getValue() }),
        ...(index === activeTabIndex && variables && { variables: variables.getValue() }),
      }));
      storeTabs(localStorage, { activeTabIndex, tabs: current });
    };
    addEventListener('pagehide', store);
    const end = session?.subscribe(store);
    return () => {
      removeEventListener('pagehide', store);
      end?.();
    };
  }, [tabs, activeTabIndex, query, variables, keepsHeaders, session]);
  return null;
}
