import { ofAllOwners } from '../../auth/visible.ts';
import type { Prisma, PrismaClient } from '../../database/database.ts';
import type { EditErrorCode } from '../../edits-api/edit-error-codes.ts';
import type { Upstream, Upstreams } from '../../edits-api/upstreams.ts';
import type { Images, ReceivedImage } from '../../images/images.ts';
import type { Events } from '../../queue/events.ts';
import type { Queue } from '../../queue/queue.ts';
import type { Ledger } from '../../usage/ledger.ts';
import { inTurn, RUN_EDIT } from '../edit-queue.ts';
import type { OnEditEnd } from '../end/edit-end.ts';
import { nowAfter } from '../end/now-after.ts';
import { createRecordSuccess, type SuccessfulAnswer } from '../end/record-success.ts';
import type { ChooseUpstream } from './choose-upstream.ts';

/** What an edit is run from. */
const WITH_INPUT = {
  prompt: { select: { text: true } },
  images: {
    where: { role: { in: ['INPUT', 'MASK'] } },
    orderBy: { position: 'asc' },
    include: { image: { select: { sha256: true, format: true, bytes: true } } },
  },
  attempts: {
    select: { id: true, number: true, state: true, upstream: true, sentAt: true, errorCode: true },
  },
} satisfies Prisma.EditJobInclude;

/** A job with the attempt that is out for it. */
export type ClaimedJob = Omit<
  Prisma.EditJobGetPayload<{ include: typeof WITH_INPUT }>,
  'prompt' | 'upstream'
> & {
  readonly prompt: { readonly text: string };
  readonly attemptId: string;
  /** Of this attempt, from 1. */
  readonly attemptNumber: number;
  readonly sentAt: Date;
  readonly upstream: Upstream;
};

/** The attempt that is being ended. */
export type OpenAttempt = Pick<ClaimedJob, 'id' | 'ownerId' | 'model' | 'attemptId' | 'sentAt'>;

export interface Failure {
  readonly code: EditErrorCode;
  readonly message: string;
  readonly httpStatus: number | null;
  readonly upstreamRequestId: string | null;
}

/**
 * The life of an attempt, each step one transaction. Every end is guarded: only an attempt that is
 * still `SENT` can end, once, whoever comes first. False: somebody else has ended it.
 */
export interface Attempts {
  /**
   * From queued to running with a new attempt `SENT`, committed before a byte goes out. Null when
   * the job is not queued any more, or no edits API can take it now: it then stays queued. When it
   * rejects, it may have been committed all the same: called again with the same `attemptId`, it
   * answers that very attempt.
   */
  claim(jobId: string, by: { workerId: string; attemptId: string }): Promise<ClaimedJob | null>;
  /** Not tried before `at`, for a reason of ours. False: it is not queued any more. */
  postpone(jobId: string, at: Date): Promise<boolean>;
  succeed(
    attempt: OpenAttempt,
    answer: SuccessfulAnswer,
    outputs: readonly ReceivedImage[],
  ): Promise<boolean>;
  /** `unknown`: it may have been processed and paid. */
  fail(attempt: OpenAttempt, failure: Failure, options: { unknown: boolean }): Promise<boolean>;
  /** It was surely not processed: the job waits in the queue until `at`, and has its turn then. */
  requeue(
    attempt: OpenAttempt & { readonly turn: number },
    failure: Failure,
    at: Date,
  ): Promise<boolean>;
}

export function createAttempts(options: {
  prisma: PrismaClient;
  events: Events;
  queue: Queue;
  images: Images;
  upstreams: Upstreams;
  chooseUpstream: ChooseUpstream;
  /** Whether this process sends to the sandbox, whatever the one thought that took the edit in. */
  sandbox: boolean;
  ledger: Ledger;
  onEnd: OnEditEnd;
}): Attempts {
  const { prisma, events, queue, upstreams, chooseUpstream, sandbox, onEnd } = options;
  const recordSuccess = createRecordSuccess(options);

  const news = ({ id, ownerId }: Pick<OpenAttempt, 'id' | 'ownerId'>, final: boolean) =>
    ({ kind: 'edit', jobId: id, ownerId, final }) as const;

  const ending = ({ id, ownerId }: OpenAttempt) => ({ jobId: id, ownerId });

  async function postponeIn(
    tx: Prisma.TransactionClient,
    jobId: string,
    at: Date,
  ): Promise<boolean> {
    const [job] = await ofAllOwners(tx).editJob.updateManyAndReturn({
      where: { id: jobId, status: 'QUEUED' },
      data: { nextAttemptAt: at },
      select: { id: true, ownerId: true, turn: true },
    });
    if (job === undefined) return false;
    const options = { startAfter: at, ...inTurn(job.turn) };
    await queue.send(tx, RUN_EDIT, { jobId }, options, news(job, false));
    return true;
  }

  return {
    async claim(jobId, { workerId, attemptId: id }) {
      const choose = await chooseUpstream();
      return prisma.$transaction(async (tx) => {
        const found = await ofAllOwners(tx).editJob.findUnique({
          where: { id: jobId },
          include: WITH_INPUT,
        });
        if (found?.prompt == null) return null;
        const job = { ...found, prompt: found.prompt };
        const open = job.attempts.find((attempt) => attempt.id === id && attempt.state === 'SENT');
        if (open !== undefined) {
          const upstream = upstreams.named(open.upstream);
          const { number: attemptNumber, sentAt } = open;
          return { ...job, attemptId: id, attemptNumber, sentAt, upstream };
        }
        if (job.status !== 'QUEUED') return null;
        const choice = await choose(tx, job);
        if ('notBefore' in choice) {
          await postponeIn(tx, jobId, choice.notBefore);
          return null;
        }
        const sentAt = nowAfter(job.createdAt);
        const { count } = await ofAllOwners(tx).editJob.updateMany({
          where: { id: jobId, status: 'QUEUED' },
          data: {
            status: 'RUNNING',
            startedAt: sentAt,
            nextAttemptAt: null,
            sandbox,
            upstream: choice.upstream.name,
          },
        });
        if (count === 0) return null;
        const { upstream } = choice;
        const number = job.attempts.length + 1;
        await tx.editAttempt.createMany({
          data: {
            id,
            ownerId: job.ownerId,
            jobId,
            number,
            workerId,
            sentAt,
            upstream: upstream.name,
          },
        });
        const claimed = { ...job, attemptId: id, attemptNumber: number, sentAt, upstream };
        await events.publish(tx, news(claimed, false));
        return claimed;
      });
    },

    postpone: (jobId, at) => prisma.$transaction((tx) => postponeIn(tx, jobId, at)),

    succeed: (attempt, answer, outputs) =>
      prisma.$transaction((tx) => {
        const finishedAt = nowAfter(attempt.sentAt);
        return recordSuccess(tx, attempt, answer, outputs, async (_, ended, job) => {
          if (!(await endAttempt(tx, attempt, { ...ended, finishedAt }))) return false;
          await moveJob(tx, attempt, 'SUCCEEDED', { ...job, finishedAt });
          return true;
        });
      }),

    fail: (attempt, failure, { unknown }) =>
      prisma.$transaction(async (tx) => {
        const finishedAt = nowAfter(attempt.sentAt);
        const state = unknown ? 'UNKNOWN' : 'FAILED';
        if (!(await endAttempt(tx, attempt, { state, finishedAt, ...columns(failure) }))) {
          return false;
        }
        const { errorCode, errorMessage } = columns(failure);
        const status = unknown ? 'OUTCOME_UNKNOWN' : 'FAILED';
        await moveJob(tx, attempt, status, { finishedAt, errorCode, errorMessage });
        const costMicroUsd = unknown ? null : 0n;
        await onEnd(tx, { ...ending(attempt), status, costMicroUsd, usage: null });
        await events.publish(tx, news(attempt, true));
        return true;
      }),

    requeue: (attempt, failure, at) =>
      prisma.$transaction(async (tx) => {
        const finishedAt = nowAfter(attempt.sentAt);
        if (
          !(await endAttempt(tx, attempt, { state: 'FAILED', finishedAt, ...columns(failure) }))
        ) {
          return false;
        }
        await moveJob(tx, attempt, 'QUEUED', { nextAttemptAt: at });
        await queue.send(
          tx,
          RUN_EDIT,
          { jobId: attempt.id },
          { startAfter: at, ...inTurn(attempt.turn) },
          news(attempt, false),
        );
        return true;
      }),
  };
}

function columns({ code, message, httpStatus, upstreamRequestId }: Failure) {
  return { errorCode: code, errorMessage: message, httpStatus, upstreamRequestId };
}

async function endAttempt(
  tx: Prisma.TransactionClient,
  { attemptId }: OpenAttempt,
  data: Prisma.EditAttemptUpdateManyMutationInput,
): Promise<boolean> {
  const { count } = await ofAllOwners(tx).editAttempt.updateMany({
    where: { id: attemptId, state: 'SENT' },
    data,
  });
  return count === 1;
}

/** A job with an open attempt is running: anything else is a defect, and rolls the end back. */
async function moveJob(
  tx: Prisma.TransactionClient,
  { id }: OpenAttempt,
  status: 'QUEUED' | 'SUCCEEDED' | 'FAILED' | 'OUTCOME_UNKNOWN',
  data: Prisma.EditJobUpdateManyMutationInput,
): Promise<void> {
  const { count } = await ofAllOwners(tx).editJob.updateMany({
    where: { id, status: 'RUNNING' },
    data: { ...data, status },
  });
  if (count !== 1) throw new Error(`edit ${id} cannot become ${status}`);
}
