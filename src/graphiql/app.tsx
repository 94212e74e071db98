import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import { type ReactNode, useState } from 'react';
import { editLink } from './edits/edit-link.ts';
import { createEditsFeed } from './edits/edits-feed.ts';
import { EditsPanel } from './edits/edits-panel.tsx';
import { createOpenEdit } from './edits/open-edit.ts';
import { type ExampleOperation, exampleOperations } from './examples.ts';
import { createAttachments } from './files/attachments.ts';
import { FileDrop } from './files/file-drop.tsx';
import { FilesPanel } from './files/files-panel.tsx';
import { Results } from './results/results.tsx';
import { createRuns } from './results/runs.ts';
import type { Session } from './sign-in/session.ts';
import { createFetcher } from './transport/fetcher.ts';
import { SandboxBanner } from './workbench/banner.tsx';
import { CopyCurlButton } from './workbench/copy-curl-button.tsx';
import { EditsIcon, FilesIcon } from './workbench/icons.tsx';
import { Logo } from './workbench/logo.tsx';
import { ModelBanner } from './workbench/model-banner.tsx';
import { PageContext } from './workbench/page-context.ts';
import { EDITS_TITLE, FILES_TITLE } from './workbench/show-panel.ts';
import { restoreTabs } from './workbench/stored-tabs.ts';
import { EditorWatch, LinkWatch, TabStore, TabWatch } from './workbench/watches.tsx';

const PLUGINS = [
  { title: FILES_TITLE, icon: FilesIcon, content: FilesPanel },
  { title: EDITS_TITLE, icon: EditsIcon, content: EditsPanel },
  HISTORY_PLUGIN,
];

/** The variables editor accepts null as the placeholder of a file. */
const SCALARS = { JSONObject: { type: 'object' }, Upload: { type: 'null' } } as const;

/** Minimum width, so that a panel does not hide the editors. */
const WIDE = '(min-width: 761px)';

/** From the second visit on, the page keeps the visitor's layout. */
function firstVisit(examples: readonly ExampleOperation[]) {
  if (restoreTabs(localStorage)) return {};
  const variables = examples[0]?.variables;
  return {
    // GraphiQL shows the variables of default tabs only after a tab change.
    ...(variables && { initialVariables: variables }),
    ...(matchMedia(WIDE).matches && { visiblePlugin: FILES_TITLE }),
  };
}

/** The whole page, for one viewer. */
export function App(props: {
  sandbox: boolean;
  /** Null without authentication. */
  session: Session | null;
  /** Who is signed in. */
  account?: ReactNode;
}) {
  const { sandbox, session, account } = props;
  const [parts] = useState(() => {
    const attachments = createAttachments();
    const runs = createRuns();
    const examples = exampleOperations({ sandbox });
    return {
      page: {
        attachments,
        runs,
        feed: createEditsFeed(),
        openEdit: createOpenEdit(editLink),
        session,
        sandbox,
        lastEditor: { current: null },
      },
      graphiql: {
        fetcher: createFetcher({ attachments, runs }),
        defaultTabs: examples,
        ...firstVisit(examples),
      },
    };
  });
  return (
    <PageContext value={parts.page}>
      <h1 className="retouch-hidden">Retouch</h1>
      {sandbox ? <SandboxBanner /> : <ModelBanner />}
      <GraphiQL
        customScalarSchemas={SCALARS}
        defaultEditorToolsVisibility="variables"
        inputValueDeprecation
        schemaDescription
        plugins={PLUGINS}
        {...parts.graphiql}
      >
        <GraphiQL.Logo>
          {account}
          <Logo />
        </GraphiQL.Logo>
        <GraphiQL.Toolbar>
          {({ prettify, merge, copy }) => (
            <>
              {prettify}
              {merge}
              {copy}
              <CopyCurlButton />
            </>
          )}
        </GraphiQL.Toolbar>
        <GraphiQL.Footer>
          <Results />
        </GraphiQL.Footer>
        <TabWatch />
        <TabStore />
        <EditorWatch />
        <LinkWatch />
        <FileDrop />
      </GraphiQL>
    </PageContext>
  );
}
