import { useEffect, useRef, useSyncExternalStore } from 'react';
import { usePage } from '../workbench/page-context.ts';
import type { Edit } from './edit.ts';
import { type FeedState, find } from './edits-feed.ts';

/** `absent`: the viewer has no edit with that id. */
export type Opened = Edit | 'loading' | 'absent' | null;

/** The edit that is open; null if none is. Closes an edit that is deleted while it is shown. */
export function useOpenEdit(state: FeedState): Opened {
  const { feed, openEdit } = usePage();
  const openId = useSyncExternalStore(openEdit.subscribe, openEdit.get);
  const found = openId === null ? null : find(state, openId);
  const shownId = useRef<string | null>(null);
  const { isLive } = state;
  useEffect(() => {
    if (found) shownId.current = openId;
    else if (openId === null) shownId.current = null;
    else if (shownId.current === openId) openEdit.set(null);
    // The recent edits are loaded: it is not one of them.
    else if (found === undefined && isLive) feed.ask([openId]);
  }, [feed, openEdit, openId, found, isLive]);
  if (openId === null) return null;
  if (found === undefined) return 'loading';
  return found ?? 'absent';
}
