import type { PrismaClient } from '../database/database.ts';
import type { Events } from '../events.ts';
import type { Log } from '../log.ts';
import { FINAL_STATUSES } from './edit-status.ts';

/** The edits that this process has out, so that one that ends elsewhere (a cancel) is aborted here. */
export interface RunningEdits {
  /** The signal is aborted when `signal` is, or when the news says that the job has ended. */
  track(jobId: string, signal: AbortSignal): { readonly signal: AbortSignal; end(): void };
  stop(): void;
}

export function createRunningEdits(options: {
  prisma: PrismaClient;
  events: Events;
  log: Log;
}): RunningEdits {
  const { prisma, events, log } = options;
  /** A job may be handed out twice, of which one is claimed: each has its own. */
  const running = new Map<string, Set<AbortController>>();

  const abort = (jobId: string) => {
    for (const controller of running.get(jobId) ?? []) controller.abort();
  };

  async function checkAll(): Promise<void> {
    const ended = await prisma.editJob.findMany({
      where: { id: { in: [...running.keys()] }, status: { in: [...FINAL_STATUSES] } },
      select: { id: true },
    });
    for (const { id } of ended) abort(id);
  }

  const unsubscribe = events.subscribe((event) => {
    if (event.kind === 'edit' && event.final) abort(event.jobId);
    if (event.kind === 'missed' && running.size > 0) {
      checkAll().catch((error) => log.warn({ err: error }, 'cannot look for canceled edits'));
    }
  });
  return {
    track(jobId, signal) {
      const ended = new AbortController();
      const ofJob = running.get(jobId) ?? new Set();
      running.set(jobId, ofJob.add(ended));
      return {
        signal: AbortSignal.any([signal, ended.signal]),
        end() {
          ofJob.delete(ended);
          if (ofJob.size === 0) running.delete(jobId);
        },
      };
    },
    stop: unsubscribe,
  };
}
