import type { TabsState } from '@graphiql/react';

/** GraphiQL's own keys. */
const TABS = 'graphiql:tabState';
const QUERY = 'graphiql:query';
const VARIABLES = 'graphiql:variables';

/**
 * Makes GraphiQL open the tab that was active. GraphiQL stores its tabs and editor texts separately
 * and at different times; if they differ, it opens another tab with a mixture of both, or an empty
 * editor. Call this before GraphiQL mounts.
 * @returns Whether there are tabs of an earlier visit.
 */
export function restoreTabs(storage: Storage): boolean {
  const state = readTabs(storage);
  const active = state?.tabs[state.activeTabIndex];
  if (!active) storage.removeItem(TABS);
  put(storage, QUERY, active?.query ?? null);
  put(storage, VARIABLES, active?.variables ?? null);
  return active !== undefined;
}

/** Stores the current tabs, because the page may be closed before GraphiQL does so. */
export function storeTabs(storage: Storage, state: TabsState): void {
  const apart = ['hash', 'response'];
  const text = JSON.stringify(state, (key, value) => (apart.includes(key) ? null : value));
  storage.setItem(TABS, text);
}

/** Null if none are stored, or the value is not a list of tabs. */
function readTabs(storage: Storage): TabsState | null {
  try {
    const state: TabsState | null = JSON.parse(storage.getItem(TABS) ?? 'null');
    return Array.isArray(state?.tabs) ? state : null;
  } catch {
    return null;
  }
}

function put(storage: Storage, key: string, text: string | null): void {
  if (text === null) storage.removeItem(key);
  else storage.setItem(key, text);
}
