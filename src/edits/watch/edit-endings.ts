import { ofAllOwners } from '../../auth/visible.ts';
import type { PrismaClient } from '../../database/database.ts';
import type { Log } from '../../log.ts';
import type { Events } from '../../queue/events.ts';
import { FINAL_STATUSES } from '../edit-status.ts';

/** Which edits have ended, in whatever process, for those who asked for the news of one. */
export interface EditEndings {
  /** `listener` is called when the job has ended, perhaps again. Answers what ends the listening. */
  listen(jobId: string, listener: () => void): () => void;
  /** Looks at the jobs that are listened for, and tells of those that have ended already. */
  check(): Promise<void>;
  stop(): void;
}

export function createEditEndings(options: {
  prisma: PrismaClient;
  events: Events;
  log: Log;
}): EditEndings {
  const { prisma, events, log } = options;
  const listeners = new Map<string, Set<() => void>>();

  const tell = (jobId: string) => {
    for (const listener of listeners.get(jobId) ?? []) listener();
  };

  async function check(): Promise<void> {
    const ended = await ofAllOwners(prisma).editJob.findMany({
      where: { id: { in: [...listeners.keys()] }, status: { in: [...FINAL_STATUSES] } },
      select: { id: true },
    });
    for (const { id } of ended) tell(id);
  }

  const unsubscribe = events.subscribe((event) => {
    if (event.kind === 'edit' && event.final) tell(event.jobId);
    if (event.kind === 'missed' && listeners.size > 0) {
      check().catch((error) => log.warn({ err: error }, 'cannot look for ended edits'));
    }
  });

  return {
    listen(jobId, listener) {
      const ofJob = listeners.get(jobId) ?? new Set();
      listeners.set(jobId, ofJob.add(listener));
      return () => {
        ofJob.delete(listener);
        if (ofJob.size === 0) listeners.delete(jobId);
      };
    },
    check,
    stop: unsubscribe,
  };
}
