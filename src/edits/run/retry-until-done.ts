import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../../log.ts';

/** Between two tries. */
const RETRY_MS = 1_000;

/** This process shut down before it could store how an attempt ended. */
export class ShutdownError extends Error {}

/**
 * Calls `work` until it resolves: a response that was paid for must not be lost because the database
 * is away or the disk is full. A try may have taken effect although it rejected, so `work` must be
 * idempotent.
 * @throws ShutdownError if `stopping` is aborted first.
 */
export async function retryUntilDone<Result>(
  log: Log,
  stopping: AbortSignal,
  work: () => Promise<Result>,
): Promise<Result> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      log.error({ err: error }, 'cannot store the state of an attempt, trying again');
      await delay(RETRY_MS, undefined, { signal: stopping }).catch(() => {
        throw new ShutdownError('shut down before the state of an attempt was stored', {
          cause: error,
        });
      });
    }
  }
}
