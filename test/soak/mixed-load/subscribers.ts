import { setTimeout as delay } from 'node:timers/promises';
import {
  stallBySse,
  stallByWebSocket,
  type Watcher,
  watchBySse,
  watchByWebSocket,
} from '../../support/subscriber-crowd.ts';
import type { Stage } from './actors.ts';
import { note } from './client.ts';

const STEADY = { sse: 20, webSocket: 10 };
const COMING_AND_GOING = 10;
const MAX_STAY_MS = 15_000;
const SILENT = 6;
const SILENT_MS = 40_000;
const RETRY_MS = 1_000;

const WATCH =
  'subscription { editJobs { __typename ... on EditJobUpdate { editJob { id finishedAt prompt { text } outputImages { id url } } } } }';

/** Who listens while the load runs: some all the time, some for a while, and some never read. */
export interface Subscribers {
  /** Subscriptions so far. */
  readonly opened: number;
  /** How many of the steady ones were not told of the end of one of these edits. */
  missed(ids: Iterable<string>): number;
  /** Resolves when all are gone. */
  close(): Promise<void>;
}

export async function openSubscribers({
  url,
  tally,
  random,
}: Pick<Stage, 'url' | 'tally' | 'random'>): Promise<Subscribers> {
  let opened = 0;
  let isOver = false;
  const leaving = new AbortController();
  const heard: Set<string>[] = [];
  const steady: Watcher[] = [];
  const newListener = () => {
    const ended = new Set<string>();
    heard.push(ended);
    return (result: ReturnType<typeof JSON.parse>) => {
      const job = result.data?.editJobs.editJob;
      if (job && job.finishedAt !== null) ended.add(job.id);
    };
  };
  for (let i = 0; i < STEADY.sse; i += 1) steady.push(await watchBySse(url, WATCH, newListener()));
  for (let i = 0; i < STEADY.webSocket; i += 1) {
    steady.push(await watchByWebSocket(url, WATCH, newListener()));
  }

  async function comeAndGo(open: () => Promise<Watcher>, stayMs: () => number): Promise<void> {
    while (!isOver) {
      const watcher = await open().catch((error) => {
        if (/: 503$/.test(String(error))) note(tally.busy, `subscribe: ${error}`);
        else note(tally.wrong, `subscribe: ${error}`);
        return null;
      });
      if (watcher === null) {
        await delay(RETRY_MS);
        continue;
      }
      opened += 1;
      await delay(stayMs(), undefined, { signal: leaving.signal }).catch(() => undefined);
      watcher.close();
    }
  }
  const ignore = () => undefined;
  const visit = (index: number) =>
    index % 2 === 0 ? watchBySse(url, WATCH, ignore) : watchByWebSocket(url, WATCH, ignore);
  const stall = (index: number) =>
    index % 2 === 0 ? stallBySse(url, WATCH) : stallByWebSocket(url, WATCH);
  const visits = [
    ...Array.from({ length: COMING_AND_GOING }, (_, index) =>
      comeAndGo(
        () => visit(index),
        () => random() * MAX_STAY_MS,
      ),
    ),
    ...Array.from({ length: SILENT }, (_, index) =>
      comeAndGo(
        () => stall(index),
        () => SILENT_MS,
      ),
    ),
  ];

  return {
    get opened() {
      return opened + steady.length;
    },
    missed: (ids) => {
      const all = [...ids];
      return heard.filter((ended) => all.some((id) => !ended.has(id))).length;
    },
    async close() {
      isOver = true;
      leaving.abort();
      for (const watcher of steady) watcher.close();
      await Promise.all(visits);
    },
  };
}
