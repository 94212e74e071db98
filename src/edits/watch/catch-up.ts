import { setTimeout as delay } from 'node:timers/promises';
import { ofAllOwners, ownedBy, viewerOf } from '../../auth/visible.ts';
import type { Prisma, PrismaClient } from '../../database/database.ts';
import type { Log } from '../../log.ts';
import { FINAL_STATUSES, isFinal } from '../edit-status.ts';
import { inHistory } from '../history/in-history.ts';
import type { JobSubscriber, Subscribers } from './subscribers.ts';

/** Between two tries to read missed changes. */
const RETRY_MS = 1_000;

/** Maximum jobs that a subscriber to an owner receives at once. */
export const MAX_JOBS_AT_ONCE = 500;

/** The columns that change while an edit runs. */
export const PROGRESS = {
  id: true,
  status: true,
  startedAt: true,
  nextAttemptAt: true,
  _count: { select: { images: { where: { role: 'PARTIAL' } } } },
} satisfies Prisma.EditJobSelect;

export type Progress = Prisma.EditJobGetPayload<{ select: typeof PROGRESS }>;

export function progressOf({ status, startedAt, nextAttemptAt }: Progress): string {
  return JSON.stringify([status, startedAt, nextAttemptAt]);
}

/**
 * Pushes what all subscribers missed since `since`, after the connection for events was lost. Tries
 * until it succeeds, as those events are not sent again, or `signal` is aborted. Never rejects.
 */
export type CatchUp = (since: Date) => Promise<void>;

export function createCatchUp(options: {
  prisma: PrismaClient;
  subscribers: Subscribers;
  signal: AbortSignal;
  log: Log;
}): CatchUp {
  const { prisma, subscribers, signal, log } = options;
  const { ofJobs, ofOwners } = subscribers;

  async function catchUpJobs(): Promise<void> {
    const ids = [...ofJobs.keys()];
    if (ids.length === 0) return;
    const jobs = await ofAllOwners(prisma).editJob.findMany({
      where: { id: { in: ids } },
      select: PROGRESS,
    });
    for (const job of jobs) {
      for (const subscriber of ofJobs.get(job.id) ?? []) pushMissed(subscriber, job);
    }
  }

  async function catchUpOwners(since: Date): Promise<void> {
    for (const [ownerId, queues] of ofOwners) {
      const changed = await changedJobs(ownerId, since);
      const deleted = await prisma.editJob.findMany({
        where: { ...ownedBy(ownerId), deletedAt: { gte: since } },
        select: { id: true },
        take: MAX_JOBS_AT_ONCE,
      });
      for (const queue of queues) {
        for (const jobId of changed) {
          queue.push({ type: 'CHANGED', jobId, partialImageIndex: null });
        }
        for (const { id: jobId } of deleted) {
          queue.push({ type: 'DELETED', jobId, partialImageIndex: null });
        }
      }
    }
  }

  /** Those that may have changed: the newest, in order of creation. */
  async function changedJobs(ownerId: string, since: Date): Promise<string[]> {
    const isOpen = { status: { notIn: [...FINAL_STATUSES] } };
    const jobs = await prisma.editJob.findMany({
      where: {
        AND: [inHistory(viewerOf(ownerId)), { OR: [isOpen, { finishedAt: { gte: since } }] }],
      },
      select: { id: true },
      orderBy: { id: 'desc' },
      take: MAX_JOBS_AT_ONCE,
    });
    return jobs.map(({ id }) => id).reverse();
  }

  return async (since) => {
    while (ofJobs.size + ofOwners.size > 0 && !signal.aborted) {
      try {
        await catchUpJobs();
        return await catchUpOwners(since);
      } catch (error) {
        log.warn({ err: error }, 'cannot read events that subscribers missed');
        await delay(RETRY_MS, undefined, { signal }).catch(() => {});
      }
    }
  };
}

function pushMissed(subscriber: JobSubscriber, job: Progress): void {
  const { queue } = subscriber;
  const { id: jobId } = job;
  for (; subscriber.partials < job._count.images; subscriber.partials += 1) {
    queue.push({ type: 'PARTIAL_IMAGE', jobId, partialImageIndex: subscriber.partials });
  }
  const progress = progressOf(job);
  if (subscriber.progress !== progress) {
    queue.push({ type: 'CHANGED', jobId, partialImageIndex: null });
  }
  subscriber.progress = progress;
  if (isFinal(job.status)) queue.finish();
}
