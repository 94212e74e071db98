import { ofAllOwners } from '../../auth/visible.ts';
import type { PrismaClient } from '../../database/database.ts';
import type { Log } from '../../log.ts';
import type { Events } from '../../queue/events.ts';
import { FINAL_STATUSES } from '../edit-status.ts';

/** Notifies listeners when an edit ends, in whichever process. */
export interface FinalEvents {
  /** `listener` is called when the edit has ended, perhaps repeatedly. Returns a function that removes it. */
  listen(jobId: string, listener: () => void): () => void;
  /** Reads the status of all edits with a listener, and notifies those of the edits that have ended. */
  check(): Promise<void>;
  stop(): void;
}

export function createFinalEvents(options: {
  prisma: PrismaClient;
  events: Events;
  log: Log;
}): FinalEvents {
  const { prisma, events, log } = options;
  const listeners = new Map<string, Set<() => void>>();

  const notify = (jobId: string) => {
    for (const listener of listeners.get(jobId) ?? []) listener();
  };

  async function check(): Promise<void> {
    const ended = await ofAllOwners(prisma).editJob.findMany({
      where: { id: { in: [...listeners.keys()] }, status: { in: [...FINAL_STATUSES] } },
      select: { id: true },
    });
    for (const { id } of ended) notify(id);
  }

  const unsubscribe = events.subscribe((event) => {
    if (event.kind === 'edit' && event.final) notify(event.jobId);
    if (event.kind === 'missed' && listeners.size > 0) {
      check().catch((error) => log.warn({ err: error }, 'cannot read which edits have ended'));
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
