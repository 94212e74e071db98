import { useSyncExternalStore } from 'react';
import { usePage } from '../workbench/page-context.ts';
import type { FeedState } from './edits-feed.ts';

/** The viewer's edits, kept up to date while mounted. */
export function useEdits(): FeedState {
  const { feed } = usePage();
  return useSyncExternalStore(feed.subscribe, feed.state);
}
