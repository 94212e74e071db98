import type { Viewer } from '../../auth/viewer.ts';
import type { PrismaClient } from '../../database/database.ts';
import { EditErrorCode } from '../../edits-api/edit-error-codes.ts';
import { JobNotCancelableError, NotFoundError } from '../../errors.ts';
import { isFinal } from '../edit-status.ts';
import { inHistory } from '../history/in-history.ts';
import type { EndEdit, Ending } from './end-edit.ts';

/** Tries again if the status changes between the read and the update: queued, running, queued … */
const MAX_TRIES = 20;

/**
 * Ends an edit on request. A queued one was certainly not paid. The call of a running one is aborted,
 * in whichever process it runs, and its cost is unknown.
 * @throws NotFoundError; JobNotCancelableError if it is final.
 */
export type CancelEdit = (viewer: Viewer, id: string) => Promise<{ id: string }>;

export function createCancelEdit(options: { prisma: PrismaClient; endEdit: EndEdit }): CancelEdit {
  const { prisma, endEdit } = options;

  return async (viewer, id) => {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const job = await prisma.editJob.findFirst({
        where: { id, ...inHistory(viewer) },
        select: { ownerId: true, status: true, createdAt: true, startedAt: true },
      });
      if (job === null) throw new NotFoundError('EditJob', id);
      const { ownerId, status, createdAt } = job;
      if (isFinal(status)) throw new JobNotCancelableError(status);
      const edit = { jobId: id, ownerId };
      const end: Ending =
        status === 'QUEUED'
          ? { ...edit, from: status, createdAt, outcome: { status: 'CANCELED', failure: null } }
          : {
              ...edit,
              from: status,
              attemptId: null,
              startedAt: job.startedAt ?? createdAt,
              outcome: { status: 'CANCELED', failure: CANCELED_WHILE_RUNNING },
            };
      if (await endEdit(end)) return { id };
    }
    throw new Error(`edit ${id} changes too fast to be canceled`);
  };
}

const CANCELED_WHILE_RUNNING = {
  code: EditErrorCode.CANCELED,
  message:
    'Canceled after the request was sent: the upstream may have processed it, and it may have been paid.',
  httpStatus: null,
  upstreamRequestId: null,
};
