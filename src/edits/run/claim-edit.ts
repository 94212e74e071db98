import { ofAllOwners } from '../../auth/visible.ts';
import type { Prisma, PrismaClient, Transaction } from '../../database/database.ts';
import type { Upstream, Upstreams } from '../../edits-api/upstreams.ts';
import type { Events } from '../../queue/events.ts';
import type { Queue } from '../../queue/queue.ts';
import { inTurn, RUN_EDIT } from '../edit-queue.ts';
import { nowNotBefore } from '../end/end-edit.ts';
import type { ChooseUpstream } from './choose-upstream.ts';

/** Everything that is needed to run an edit. */
const WITH_INPUT = {
  prompt: { select: { text: true } },
  images: {
    where: { role: { in: ['INPUT', 'MASK'] } },
    orderBy: { position: 'asc' },
    include: { image: { select: { sha256: true, format: true, bytes: true } } },
  },
  attempts: {
    select: {
      id: true,
      number: true,
      state: true,
      upstream: true,
      sentAt: true,
      finishedAt: true,
      errorCode: true,
    },
  },
} satisfies Prisma.EditJobInclude;

/** A job with its open attempt. */
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

/**
 * Moves a queued job to running, with a new attempt `SENT`, committed before a byte is sent. Null if
 * the job is no longer queued, or no upstream can take it now: it stays queued then. A claim that
 * rejects may have been committed: called again with the same `attemptId`, it returns that attempt.
 */
export type ClaimEdit = (
  jobId: string,
  by: { readonly processId: string; readonly attemptId: string },
) => Promise<ClaimedJob | null>;

export interface ClaimOptions {
  prisma: PrismaClient;
  events: Events;
  queue: Queue;
  upstreams: Upstreams;
  chooseUpstream: ChooseUpstream;
  /** Whether this process sends to the sandbox, whatever the process that accepted the edit does. */
  sandbox: boolean;
}

export function createClaimEdit(options: ClaimOptions): ClaimEdit {
  const { prisma, events, queue, upstreams, chooseUpstream, sandbox } = options;

  return async (jobId, { processId, attemptId: id }) => {
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
        return { ...job, attemptId: id, attemptNumber: open.number, sentAt: open.sentAt, upstream };
      }
      if (job.status !== 'QUEUED') return null;
      const choice = await choose(tx, job);
      if ('notBefore' in choice) {
        await postponeEdit(tx, queue, jobId, choice.notBefore);
        return null;
      }
      const { upstream } = choice;
      const sentAt = nowNotBefore(job.createdAt);
      const { count } = await ofAllOwners(tx).editJob.updateMany({
        where: { id: jobId, status: 'QUEUED' },
        data: {
          status: 'RUNNING',
          startedAt: sentAt,
          nextAttemptAt: null,
          sandbox,
          upstream: upstream.name,
        },
      });
      if (count === 0) return null;
      const number = job.attempts.length + 1;
      await tx.editAttempt.createMany({
        data: {
          id,
          ownerId: job.ownerId,
          jobId,
          number,
          processId,
          sentAt,
          upstream: upstream.name,
        },
      });
      const { ownerId } = job;
      await events.publish(tx, { kind: 'edit', jobId, ownerId, final: false });
      return { ...job, attemptId: id, attemptNumber: number, sentAt, upstream };
    });
  };
}

/** The job waits until `at`. False if it is no longer queued. */
export async function postponeEdit(
  tx: Transaction,
  queue: Queue,
  jobId: string,
  at: Date,
): Promise<boolean> {
  const [job] = await ofAllOwners(tx).editJob.updateManyAndReturn({
    where: { id: jobId, status: 'QUEUED' },
    data: { nextAttemptAt: at },
    select: { ownerId: true, turn: true },
  });
  if (job === undefined) return false;
  const { ownerId, turn } = job;
  const event = { kind: 'edit', jobId, ownerId, final: false } as const;
  await queue.send(tx, RUN_EDIT, { jobId }, { startAfter: at, ...inTurn(turn) }, event);
  return true;
}
