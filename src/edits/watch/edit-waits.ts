import type { FinalEvents } from './final-events.ts';

/** Waits for edits to end, by events and not by polling. */
export interface EditWaits {
  /**
   * Call it before the job's transaction commits, so that no event is missed. The caller must call
   * `end` in any case.
   */
  expect(jobId: string): EditWait;
  /** Gives open waits `graceMs`, then ends them. Later ones end at once. */
  stop(options: { graceMs: number }): Promise<void>;
}

export interface EditWait {
  /**
   * Resolves when the job is final, after `timeoutMs`, or when `signal` is aborted. With
   * `isNew: false`, the job may be final already, and its status is read first.
   */
  untilFinal(options: { timeoutMs: number; isNew: boolean; signal: AbortSignal }): Promise<void>;
  /** Idempotent. */
  end(): void;
}

export function createEditWaits({ finalEvents }: { finalEvents: FinalEvents }): EditWaits {
  const waiting = new Set<() => void>();
  const { promise: allEnded, resolve: resolveAllEnded } = Promise.withResolvers<void>();
  let isStopped = false;

  return {
    expect(jobId) {
      const { promise: ended, resolve } = Promise.withResolvers<void>();
      waiting.add(resolve);
      const stopListening = finalEvents.listen(jobId, resolve);
      return {
        async untilFinal({ timeoutMs, isNew, signal }) {
          if (isStopped) return;
          if (!isNew) await finalEvents.check();
          await withTimeout(ended, timeoutMs, signal);
        },
        end() {
          waiting.delete(resolve);
          stopListening();
          if (isStopped && waiting.size === 0) resolveAllEnded();
        },
      };
    },
    async stop({ graceMs }) {
      isStopped = true;
      if (waiting.size > 0) await withTimeout(allEnded, graceMs);
      for (const resolve of waiting) resolve();
    },
  };
}

/** Resolves with the promise, after `timeoutMs`, or when `signal` is aborted. */
async function withTimeout(ended: Promise<void>, timeoutMs: number, signal?: AbortSignal) {
  if (timeoutMs <= 0 || signal?.aborted) return;
  const { promise: givenUp, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, timeoutMs);
  const giveUp = () => resolve();
  signal?.addEventListener('abort', giveUp, { once: true });
  await Promise.race([ended, givenUp]);
  signal?.removeEventListener('abort', giveUp);
  clearTimeout(timer);
}
