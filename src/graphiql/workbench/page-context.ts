import type { MonacoEditor } from '@graphiql/react';
import { createContext, useContext } from 'react';
import type { EditsFeed } from '../edits/edits-feed.ts';
import type { OpenEdit } from '../edits/open-edit.ts';
import type { Attachments } from '../files/attachments.ts';
import type { Runs } from '../results/runs.ts';
import type { Session } from '../sign-in/session.ts';

/** What every panel of the page may use. */
export interface Page {
  readonly attachments: Attachments;
  readonly runs: Runs;
  readonly feed: EditsFeed;
  /** The edit that the Edits panel shows alone. */
  readonly openEdit: OpenEdit;
  /** Null without authentication. */
  readonly session: Session | null;
  /** Whether the built-in sandbox makes the images. */
  readonly sandbox: boolean;
  /** The editor that last had the cursor. */
  readonly lastEditor: { current: MonacoEditor | null };
}

export const PageContext = createContext<Page | null>(null);

/** @throws outside of a `PageContext`. */
export function usePage(): Page {
  const page = useContext(PageContext);
  if (page === null) throw new Error('usePage must be called inside a PageContext.');
  return page;
}
