import type { Job, PgBoss } from 'pg-boss';
import type { Log } from '../log.ts';
import type { Events } from './events.ts';

/** How soon a queue job whose notification was missed is found, in milliseconds. */
const POLL_MS = 2_000;

/** A third of the shortest `heartbeatSeconds` of a queue, in milliseconds. */
const HEARTBEAT_MS = 10_000;

/** How long completions are collected before they are recorded together, in milliseconds. */
const COMPLETE_AFTER_MS = 100;

export interface Worker<Data extends object> {
  /** Number of queue jobs that this process runs at once. */
  concurrency: number;
  /**
   * How many more jobs this process may take, besides the `running` ones; called at each wake-up
   * and poll. Others keep their place in the queue. @default as many as `concurrency`
   */
  places?(running: number): Promise<number>;
  /** Throwing fails the job; the definition's `retryLimit` decides about a retry. */
  handle(data: Data, signal: AbortSignal): Promise<void>;
}

export interface Dispatcher {
  /** Whether it was able to fetch jobs lately. */
  hasLooked(): boolean;
  stop(graceMs: number): Promise<void>;
}

/** Takes queue jobs of one kind whenever there may be some: one fetch fills all free slots. */
export function startDispatcher<Data extends object>(options: {
  boss: PgBoss;
  events: Events;
  maxLookAgeMs: number;
  log: Log;
  name: string;
  worker: Worker<Data>;
}): Dispatcher {
  const { boss, events, maxLookAgeMs, log, name, worker } = options;
  const aborting = new AbortController();
  const running = new Map<string, Promise<void>>();
  let stopping = false;
  let fetching: Promise<void> | undefined;
  let wokenMeanwhile = false;
  /** The last fetch filled all free slots, or there was no free slot. */
  let mayBeMore = false;
  let lookedMs = performance.now();
  const completions = createCompletions({ boss, log, name });

  async function run(job: Job<Data>): Promise<void> {
    try {
      await worker.handle(job.data, aborting.signal);
      completions.add(job.id);
    } catch (error) {
      log.error({ err: error, queue: name }, 'queue job failed');
      await boss
        .fail(name, job.id)
        .catch((failure) =>
          log.error({ err: failure, queue: name }, 'could not record the failure of a queue job'),
        );
    }
  }

  async function fetch(): Promise<void> {
    do {
      wokenMeanwhile = false;
      const free = worker.concurrency - running.size;
      mayBeMore = true;
      if (stopping || free <= 0) return;
      const places = worker.places ? await worker.places(running.size) : free;
      const batchSize = Math.min(free, places);
      if (batchSize <= 0) return;
      const jobs = (await boss.fetch<Data>(name, { batchSize })) ?? [];
      mayBeMore = jobs.length === batchSize;
      for (const job of jobs) {
        const done = run(job).finally(() => {
          running.delete(job.id);
          if (mayBeMore) wake();
        });
        running.set(job.id, done);
      }
    } while (wokenMeanwhile);
  }

  function wake(): void {
    wokenMeanwhile = true;
    // A failed fetch waits for the next wake-up or poll, to avoid a hot loop while the database is
    // unavailable.
    fetching ??= fetch()
      .then(() => {
        lookedMs = performance.now();
      })
      .catch((error) => {
        wokenMeanwhile = false;
        log.error({ err: error, queue: name }, 'could not fetch queue jobs');
      })
      .finally(() => {
        fetching = undefined;
        if (wokenMeanwhile && !stopping) wake();
      });
  }

  const unsubscribe = events.subscribe((event) => {
    if (event.kind === 'missed' || (event.kind === 'work' && event.queue === name)) wake();
  });
  const poll = setInterval(wake, POLL_MS);
  const heartbeat = setInterval(() => {
    if (running.size === 0) return;
    boss
      .touch(name, [...running.keys()])
      .catch((error) => log.warn({ err: error, queue: name }, 'heartbeat failed'));
  }, HEARTBEAT_MS);
  wake();

  return {
    hasLooked: () => performance.now() - lookedMs < maxLookAgeMs,
    async stop(graceMs) {
      stopping = true;
      unsubscribe();
      clearInterval(poll);
      await fetching;
      const timer = setTimeout(() => aborting.abort(), graceMs);
      await Promise.all(running.values());
      await completions.flush();
      clearTimeout(timer);
      clearInterval(heartbeat);
    },
  };
}

/**
 * Records completions in pg-boss with one statement for all jobs that ended at about the same time.
 * A completion that was not recorded when the process died leads to another delivery.
 */
function createCompletions(options: { boss: PgBoss; log: Log; name: string }) {
  const { boss, log, name } = options;
  let ids: string[] = [];
  let timer: NodeJS.Timeout | undefined;

  async function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const done = ids;
    ids = [];
    if (done.length === 0) return;
    await boss
      .complete(name, done)
      .catch((error) =>
        log.error({ err: error, queue: name }, 'could not record the completion of a queue job'),
      );
  }

  return {
    add(id: string): void {
      ids.push(id);
      timer ??= setTimeout(() => void flush(), COMPLETE_AFTER_MS);
    },
    flush,
  };
}
