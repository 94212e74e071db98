import { ownedBy } from '../../auth/visible.ts';
import type { ReceivedImage } from '../../images/images.ts';
import { inTurn, RUN_EDIT } from '../edit-queue.ts';
import {
  type EndEdit,
  endAttempt,
  type Failure,
  failureColumns,
  nowNotBefore,
} from '../end/end-edit.ts';
import type { SuccessfulAnswer } from '../end/results.ts';
import {
  type ClaimEdit,
  type ClaimedJob,
  type ClaimOptions,
  createClaimEdit,
  postponeEdit,
} from './claim-edit.ts';

/** An attempt that has not ended, with the facts of its job that its end needs. */
export type OpenAttempt = Pick<ClaimedJob, 'id' | 'ownerId' | 'model' | 'attemptId' | 'sentAt'>;

/**
 * The life of an attempt, each step in one transaction. Every end is guarded: only an attempt that is
 * still `SENT` can end, once, whoever comes first. False: it had ended already.
 */
export interface Attempts {
  readonly claim: ClaimEdit;
  /** The job waits until `at`. False if it is no longer queued. */
  postpone(jobId: string, at: Date): Promise<boolean>;
  succeed(
    attempt: OpenAttempt,
    answer: SuccessfulAnswer,
    /** Their blobs are stored. */
    outputs: readonly ReceivedImage[],
  ): Promise<boolean>;
  /** `unknown`: the request may have been processed and paid. */
  fail(attempt: OpenAttempt, failure: Failure, options: { unknown: boolean }): Promise<boolean>;
  /** For a request that was certainly not processed: the job waits until `at`, and keeps its turn. */
  requeue(
    attempt: OpenAttempt & { readonly turn: number },
    failure: Failure,
    at: Date,
  ): Promise<boolean>;
}

export function createAttempts(options: ClaimOptions & { endEdit: EndEdit }): Attempts {
  const { prisma, queue, endEdit } = options;

  const running = ({ id: jobId, ownerId, attemptId, sentAt }: OpenAttempt) =>
    ({ jobId, ownerId, from: 'RUNNING', attemptId, startedAt: sentAt }) as const;

  return {
    claim: createClaimEdit(options),

    postpone: (jobId, at) => prisma.$transaction((tx) => postponeEdit(tx, queue, jobId, at)),

    succeed: (attempt, answer, outputs) => {
      const { model, sentAt } = attempt;
      const outcome = { status: 'SUCCEEDED', model, sentAt, answer, outputs } as const;
      return endEdit({ ...running(attempt), outcome });
    },

    fail: (attempt, failure, { unknown }) => {
      const outcome = { status: unknown ? 'OUTCOME_UNKNOWN' : 'FAILED', failure } as const;
      return endEdit({ ...running(attempt), outcome });
    },

    requeue: ({ id: jobId, ownerId, attemptId, sentAt, turn }, failure, at) =>
      prisma.$transaction(async (tx) => {
        const finishedAt = nowNotBefore(sentAt);
        const ended = { state: 'FAILED', finishedAt, ...failureColumns(failure) } as const;
        if ((await endAttempt(tx, ownerId, { id: attemptId }, ended)) === null) return false;
        const { count } = await tx.editJob.updateMany({
          where: { id: jobId, ...ownedBy(ownerId), status: 'RUNNING' },
          data: { status: 'QUEUED', nextAttemptAt: at },
        });
        if (count !== 1) throw new Error(`edit ${jobId} has an open attempt and is not running`);
        const event = { kind: 'edit', jobId, ownerId, final: false } as const;
        await queue.send(tx, RUN_EDIT, { jobId }, { startAfter: at, ...inTurn(turn) }, event);
        return true;
      }),
  };
}
