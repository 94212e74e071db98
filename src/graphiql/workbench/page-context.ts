import type { MonacoEditor } from '@graphiql/react';
import { createContext, useContext } from 'react';
import type { Attachments } from '../files/attachments.ts';

/** What every panel of the page may need. */
export interface Page {
  readonly attachments: Attachments;
  /** Pictures are made by the built-in sandbox. */
  readonly sandbox: boolean;
  /** The editor that had the cursor last. */
  readonly lastEditor: { current: MonacoEditor | null };
}

export const PageContext = createContext<Page | null>(null);

/** @throws outside of a `PageContext`. */
export function usePage(): Page {
  const page = useContext(PageContext);
  if (page === null) throw new Error('usePage needs a PageContext around it.');
  return page;
}
