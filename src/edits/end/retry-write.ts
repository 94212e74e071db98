import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../../log.ts';

/** Between two tries, in milliseconds. */
const RETRY_MS = 1_000;

/** A stop came before it could be written down how an attempt ended. */
export class StoppedError extends Error {}

/**
 * Tries until it is done: an answer that was paid for must not be lost because the database is away
 * or the disk is full. `work` must be such that doing it twice is doing it once.
 * @throws StoppedError when a stop comes first.
 */
export async function persist<Result>(
  log: Log,
  stopping: AbortSignal,
  work: () => Promise<Result>,
): Promise<Result> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      log.error({ err: error }, 'cannot write down the state of an attempt, trying again');
      await delay(RETRY_MS, undefined, { signal: stopping }).catch(() => {
        throw new StoppedError('stopped before the state of an attempt was written down', {
          cause: error,
        });
      });
    }
  }
}
