import type { EditEndings } from './edit-endings.ts';

/** Waits for edits to end, by the news of it and not by polling. */
export interface EditWaits {
  /**
   * Call it before the job's transaction commits, so that no news is missed. The wait must be
   * ended by `end`, whatever happens.
   */
  expect(jobId: string): EditWait;
  /** Waits `graceMs` for the waits there are, then ends them. Those to come end at once. */
  stop(options: { graceMs: number }): Promise<void>;
}

export interface EditWait {
  /**
   * Resolves when the job is final, or `timeoutMs` have passed, or `signal` was aborted. With
   * `isNew: false` the job may be final already, and is looked at first.
   */
  untilFinal(options: { timeoutMs: number; isNew: boolean; signal: AbortSignal }): Promise<void>;
  /** Idempotent. */
  end(): void;
}

export function createEditWaits({ endings }: { endings: EditEndings }): EditWaits {
  const waiting = new Set<() => void>();
  const { promise: nobodyWaits, resolve: tellNobodyWaits } = Promise.withResolvers<void>();
  let isStopped = false;

  return {
    expect(jobId) {
      const { promise: ended, resolve } = Promise.withResolvers<void>();
      waiting.add(resolve);
      const stopListening = endings.listen(jobId, resolve);
      return {
        async untilFinal({ timeoutMs, isNew, signal }) {
          if (isStopped) return;
          if (!isNew) await endings.check();
          await settled(ended, timeoutMs, signal);
        },
        end() {
          waiting.delete(resolve);
          stopListening();
          if (isStopped && waiting.size === 0) tellNobodyWaits();
        },
      };
    },
    async stop({ graceMs }) {
      isStopped = true;
      if (waiting.size > 0) await settled(nobodyWaits, graceMs);
      for (const resolve of waiting) resolve();
    },
  };
}

async function settled(ended: Promise<void>, timeoutMs: number, signal?: AbortSignal) {
  if (timeoutMs <= 0 || signal?.aborted) return;
  const { promise: givenUp, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, timeoutMs);
  const giveUp = () => resolve();
  signal?.addEventListener('abort', giveUp, { once: true });
  await Promise.race([ended, givenUp]);
  signal?.removeEventListener('abort', giveUp);
  clearTimeout(timer);
}
