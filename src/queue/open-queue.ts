import type { Database } from '../database/database.ts';
import type { Log } from '../log.ts';
import { createEvents, type Events } from './events.ts';
import { createQueue, type JobDefinition, type Queue } from './queue.ts';

/** Events between processes, and the queue that they wake. */
export interface OpenQueue {
  readonly events: Events;
  readonly queue: Queue;
  /** Aborts running queue jobs. */
  close(): Promise<void>;
}

/**
 * @param options.alone No other process can use this database.
 * @param options.supervise Whether this process maintains the queue; one of those that run queue
 *   jobs must.
 */
export async function openQueue(options: {
  database: Database;
  jobs: readonly JobDefinition<object>[];
  alone: boolean;
  supervise: boolean;
  log: Log;
}): Promise<OpenQueue> {
  const { database, jobs, alone, supervise, log } = options;
  await using opened = new AsyncDisposableStack();
  const events = opened.adopt(createEvents({ database, log }), (it) => it.stop());
  await events.start();
  const queue = opened.adopt(createQueue({ database, events, supervise, log }), (it) =>
    it.stop({ graceMs: 0 }),
  );
  await queue.start(jobs, { alone });
  const parts = opened.move();
  return { events, queue, close: () => parts.disposeAsync() };
}
