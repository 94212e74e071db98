import type { PrismaClient } from '../database/database.ts';
import type { Events } from '../events.ts';
import type { Log } from '../log.ts';
import { FINAL_STATUSES } from './edit-status.ts';

/** Waits for edits to end, by the news of it and not by polling. */
export interface EditWaits {
  /**
   * Call it before the job's transaction commits, so that no news is missed. The wait must be
   * ended by `end`, whatever happens.
   */
  expect(jobId: string): EditWait;
  /** Ends all waits, also those to come. */
  stop(): void;
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

export function createEditWaits(options: {
  prisma: PrismaClient;
  events: Events;
  log: Log;
}): EditWaits {
  const { prisma, events, log } = options;
  const endings = new Map<string, Set<() => void>>();
  let isStopped = false;

  const end = (jobId: string) => {
    for (const resolve of endings.get(jobId) ?? []) resolve();
  };

  async function checkAll(): Promise<void> {
    const jobs = await prisma.editJob.findMany({
      where: { id: { in: [...endings.keys()] }, status: { in: [...FINAL_STATUSES] } },
      select: { id: true },
    });
    for (const { id } of jobs) end(id);
  }

  const unsubscribe = events.subscribe((event) => {
    if (event.kind === 'edit' && event.final) end(event.jobId);
    if (event.kind === 'missed' && endings.size > 0) {
      checkAll().catch((error) => log.warn({ err: error }, 'cannot look for ended edits'));
    }
  });

  return {
    expect(jobId) {
      const { promise: ended, resolve } = Promise.withResolvers<void>();
      const waiting = endings.get(jobId) ?? new Set();
      endings.set(jobId, waiting.add(resolve));
      return {
        async untilFinal({ timeoutMs, isNew, signal }) {
          if (isStopped) return;
          if (!isNew) await checkAll();
          await settled(ended, timeoutMs, signal);
        },
        end() {
          waiting.delete(resolve);
          if (waiting.size === 0) endings.delete(jobId);
        },
      };
    },
    stop() {
      isStopped = true;
      unsubscribe();
      for (const jobId of endings.keys()) end(jobId);
    },
  };
}

async function settled(ended: Promise<void>, timeoutMs: number, signal: AbortSignal) {
  if (timeoutMs <= 0 || signal.aborted) return;
  const { promise: givenUp, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, timeoutMs);
  const giveUp = () => resolve();
  signal.addEventListener('abort', giveUp, { once: true });
  await Promise.race([ended, givenUp]);
  signal.removeEventListener('abort', giveUp);
  clearTimeout(timer);
}
