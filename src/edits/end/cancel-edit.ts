import type { Viewer } from '../../auth/viewer.ts';
import { ownedBy, ownerOf } from '../../auth/visible.ts';
import type { PrismaClient } from '../../database/database.ts';
import { EditErrorCode } from '../../edits-api/edit-error-codes.ts';
import { JobNotCancelableError, NotFoundError } from '../../errors.ts';
import type { Events } from '../../queue/events.ts';
import { isFinal } from '../edit-status.ts';
import { inHistory } from '../history/in-history.ts';
import type { OnEditEnd } from './edit-end.ts';
import { nowAfter } from './now-after.ts';

const UNRESOLVED =
  'Canceled while the request was out: the edits API may have processed it, and it may have been paid.';

/** Tries again when the job moves on between the look and the update: queued, running, queued … */
const MAX_TRIES = 20;

/**
 * Ends an edit on request: from the queue surely and for free; while it runs by aborting the call,
 * wherever it runs, its cost unresolved.
 * @throws NotFoundError; JobNotCancelableError when it is final.
 */
export type CancelEdit = (viewer: Viewer, id: string) => Promise<{ id: string }>;

export function createCancelEdit(options: {
  prisma: PrismaClient;
  events: Events;
  onEnd: OnEditEnd;
}): CancelEdit {
  const { prisma, events, onEnd } = options;

  return async (viewer, id) => {
    const ownerId = ownerOf(viewer);
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const job = await prisma.editJob.findFirst({
        where: { id, ...inHistory(viewer) },
        select: { status: true, createdAt: true, startedAt: true },
      });
      if (job === null) throw new NotFoundError('EditJob', id);
      if (isFinal(job.status)) throw new JobNotCancelableError(job.status);
      const finishedAt = nowAfter(job.startedAt ?? job.createdAt);
      if (await cancelFrom(ownerId, id, job.status, finishedAt)) return { id };
    }
    throw new Error(`edit ${id} changes too fast to be canceled`);
  };

  function cancelFrom(ownerId: string, id: string, status: string, finishedAt: Date) {
    return prisma
      .$transaction(async (tx) => {
        const isRunning = status === 'RUNNING';
        // First the attempt, then the job, as those do who end an attempt: they cannot deadlock.
        if (isRunning) {
          await tx.editAttempt.updateMany({
            where: { jobId: id, ...ownedBy(ownerId), state: 'SENT' },
            data: {
              state: 'UNKNOWN',
              finishedAt,
              errorCode: EditErrorCode.CANCELED,
              errorMessage: UNRESOLVED,
            },
          });
        }
        const { count } = await tx.editJob.updateMany({
          where: { id, ...ownedBy(ownerId), status: isRunning ? 'RUNNING' : 'QUEUED' },
          data: {
            status: 'CANCELED',
            finishedAt,
            nextAttemptAt: null,
            ...(isRunning && { errorCode: EditErrorCode.CANCELED, errorMessage: UNRESOLVED }),
          },
        });
        if (count === 0) {
          // The job has moved on: what was done to its attempt must not stand.
          if (isRunning) throw new MovedOnError();
          return false;
        }
        const costMicroUsd = isRunning ? null : 0n;
        await onEnd(tx, { jobId: id, ownerId, status: 'CANCELED', costMicroUsd, usage: null });
        await events.publish(tx, { kind: 'edit', jobId: id, ownerId, final: true });
        return true;
      })
      .catch((error: unknown) => {
        if (error instanceof MovedOnError) return false;
        throw error;
      });
  }
}

class MovedOnError extends Error {}
