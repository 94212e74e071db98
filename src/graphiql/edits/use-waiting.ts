import { useEffect, useState } from 'react';
import { ask } from '../transport/graphql.ts';
import { serviceNow } from '../transport/service-clock.ts';
import type { Edit } from './edit.ts';
import { UPSTREAMS_QUERY } from './upstreams-query.ts';
import { type Upstream, type Waiting, waitingOf } from './waiting.ts';

/** Polling interval of upstreams, in milliseconds. */
const LOOK_MS = 5_000;

/** Why an edit waits, with the seconds until the next attempt. */
export interface WaitingNow extends Waiting {
  readonly seconds: number | null;
}

/** Kept up to date while the edit waits; null if it does not. */
export function useWaiting(edit: Edit): WaitingNow | null {
  const isQueued = edit.status === 'QUEUED';
  const [upstreams, setUpstreams] = useState<readonly Upstream[]>([]);
  const [now, setNow] = useState(serviceNow);

  useEffect(() => {
    if (!isQueued) return;
    const looking = new AbortController();
    const look = () =>
      ask<{ upstreams: readonly Upstream[] }>({ query: UPSTREAMS_QUERY }, looking.signal).then(
        (data) => setUpstreams(data.upstreams),
        // The panel shows that the service cannot be reached.
        () => undefined,
      );
    void look();
    const timers = [setInterval(look, LOOK_MS), setInterval(() => setNow(serviceNow()), 1_000)];
    return () => {
      looking.abort();
      for (const timer of timers) clearInterval(timer);
    };
  }, [isQueued]);

  const waiting = waitingOf(edit, upstreams, new Date(now));
  if (waiting === null) return null;
  const { until } = waiting;
  return { ...waiting, seconds: until && Math.max(0, Math.ceil((until.getTime() - now) / 1_000)) };
}
