import { ownedBy } from '../../auth/visible.ts';
import type { Prisma, PrismaClient, Transaction } from '../../database/database.ts';
import type { EditErrorCode } from '../../edits-api/edit-error-codes.ts';
import type { ModerationDetails } from '../../edits-api/edits-api-error.ts';
import type { Images } from '../../images/images.ts';
import type { Limits, SettledEdit } from '../../limits/limits.ts';
import type { RawUsage } from '../../models/raw-usage.ts';
import type { Events } from '../../queue/events.ts';
import type { Ledger } from '../../usage/ledger.ts';
import type { PricedUsage } from '../../usage/pricing.ts';
import type { FinalStatus } from '../edit-status.ts';
import { insertResults, type Results, readResults, type Success } from './results.ts';

/** An edit to end, the status that it must still have, and its outcome. */
export type Ending = { readonly jobId: string; readonly ownerId: string } & (
  | { readonly from: 'QUEUED'; readonly createdAt: Date; readonly outcome: CanceledUnsent }
  | {
      readonly from: 'RUNNING';
      /** The attempt that ends with it; null for the one that is open. */
      readonly attemptId: string | null;
      readonly startedAt: Date;
      readonly outcome: Success | Unsuccessful;
    }
  /** By the response that is stored for this attempt. */
  | { readonly from: 'OUTCOME_UNKNOWN'; readonly attemptId: string; readonly outcome: Success }
);

interface Unsuccessful {
  readonly status: 'FAILED' | 'OUTCOME_UNKNOWN' | 'CANCELED';
  readonly failure: Failure;
}

interface CanceledUnsent {
  readonly status: 'CANCELED';
  readonly failure: null;
}

/** Why an attempt failed. */
export interface Failure {
  readonly code: EditErrorCode;
  readonly message: string;
  readonly httpStatus: number | null;
  readonly upstreamRequestId: string | null;
  readonly moderationDetails?: ModerationDetails | null;
}

/** An edit that is ending. */
export interface EndedEdit {
  readonly jobId: string;
  readonly ownerId: string;
  readonly status: FinalStatus;
  /** 0 if certainly nothing was paid; null if the cost is unknown, as after an unknown outcome. */
  readonly costMicroUsd: bigint | null;
  /** As the upstream reported it; null if it did not. */
  readonly usage: RawUsage | null;
}

/** An edit that has ended, committed. */
export interface CommittedEnd extends EndedEdit {
  readonly from: Ending['from'];
  readonly job: EndedJob;
  /** How many attempts there were; null for an edit that was waiting. */
  readonly attempts: number | null;
  readonly upstreamRequestId: string | null;
  /** Null unless it failed or its outcome is unknown. */
  readonly errorCode: EditErrorCode | null;
  /** Null unless it succeeded. */
  readonly results: Results | null;
}

/** What the end of a job reads of it. */
const OF_JOB = {
  model: true,
  upstream: true,
  createdAt: true,
  startedAt: true,
  durationMs: true,
} satisfies Prisma.EditJobSelect;

type EndedJob = Prisma.EditJobGetPayload<{ select: typeof OF_JOB }>;

/**
 * Ends an edit, in one transaction: its attempt and its job, outputs, usage, charge, webhook
 * deliveries, event and reservations. Nothing else writes a final status. Every end is guarded, so an
 * edit ends once, whoever comes first; false if it no longer has the status `from` or its attempt has
 * ended: nothing is written then, as if it rejects.
 */
export type EndEdit = (end: Ending) => Promise<boolean>;

/** Inserts rows in the transaction that ends an edit. If it rejects, the edit does not end. */
export type InsertForEnd = (tx: Transaction, ended: EndedEdit) => Promise<void>;

export function createEndEdit(options: {
  prisma: PrismaClient;
  images: Pick<Images, 'save'>;
  events: Pick<Events, 'publish'>;
  ledger: Ledger;
  limits: Pick<Limits, 'settle'>;
  insertWebhooks: InsertForEnd;
  /** Called after the commit, unless its confirmation was lost. @default none */
  onEnded?: (end: CommittedEnd) => void;
}): EndEdit {
  const { prisma, images, events, ledger, limits, insertWebhooks, onEnded } = options;

  async function endIn(tx: Transaction, end: Ending): Promise<CommittedEnd | null> {
    const { jobId, ownerId, outcome } = end;
    const { status } = outcome;
    const read = outcome.status === 'SUCCEEDED' ? readResults(ledger, outcome) : null;
    const updated = await updateRows(tx, end, columnsOf(outcome, read));
    if (updated === null) return null;
    // An admin's decision on the cost outranks the response.
    const manual = end.from === 'OUTCOME_UNKNOWN' ? await ledger.manualCharge(tx, end) : null;
    if (manual !== null) await restoreCost(tx, end, manual);
    const results = manual === null ? read : read && { ...read, cost: null };
    if (results !== null) await insertResults(tx, { jobId, ownerId }, results, { images, ledger });
    const costMicroUsd = manual?.amountMicroUsd ?? costOf(end, results);
    const ended = { jobId, ownerId, status, costMicroUsd, usage: results?.usage ?? null };
    await insertWebhooks(tx, ended);
    await events.publish(tx, { kind: 'edit', jobId, ownerId, final: true });
    // Last, as other edits wait for the limits that it locks.
    const wasActive = end.from !== 'OUTCOME_UNKNOWN';
    await limits.settle(tx, {
      jobId,
      ownerId,
      used: usedBy(ended, results, manual),
      wasActive,
      usage: ended.usage,
    });
    return { ...ended, ...updated, ...factsOf(outcome), from: end.from, results };
  }

  return async (end) => {
    const ended = await prisma.$transaction((tx) => endIn(tx, end));
    if (ended !== null) onEnded?.(ended);
    return ended !== null;
  };
}

/** Now, but not before `time`: the clock may be set back while an edit runs. */
export function nowNotBefore(time: Date): Date {
  return new Date(Math.max(Date.now(), time.getTime()));
}

/** Ends an attempt that is still open, and returns its number; null if none is. */
export async function endAttempt(
  tx: Transaction,
  ownerId: string,
  where: { readonly id: string } | { readonly jobId: string },
  data: Prisma.EditAttemptUpdateManyMutationInput,
): Promise<number | null> {
  const [attempt] = await tx.editAttempt.updateManyAndReturn({
    where: { ...where, ...ownedBy(ownerId), state: 'SENT' },
    data,
    select: { number: true },
  });
  return attempt?.number ?? null;
}

/** An attempt's columns of a failure. */
export function failureColumns(failure: Failure) {
  const { code, message, httpStatus, upstreamRequestId, moderationDetails } = failure;
  return {
    errorCode: code,
    errorMessage: message,
    httpStatus,
    upstreamRequestId,
    ...(moderationDetails != null && {
      moderationDetails: { ...moderationDetails, categories: [...moderationDetails.categories] },
    }),
  };
}

interface Columns {
  readonly attempt: Prisma.EditAttemptUpdateManyMutationInput;
  readonly job: Prisma.EditJobUpdateManyMutationInput;
}

const ATTEMPT_STATES = {
  SUCCEEDED: 'SUCCEEDED',
  FAILED: 'FAILED',
  OUTCOME_UNKNOWN: 'UNKNOWN',
  // It may have been processed.
  CANCELED: 'UNKNOWN',
} as const satisfies Record<FinalStatus, string>;

function columnsOf(outcome: Ending['outcome'], results: Results | null): Columns {
  const { status } = outcome;
  const state = ATTEMPT_STATES[status];
  if (outcome.status === 'SUCCEEDED') {
    const noError = { errorCode: null, errorMessage: null };
    return {
      attempt: { state, ...noError, answerStoredAt: null, ...results?.attemptColumns },
      job: { status, ...noError, nextAttemptAt: null, ...results?.jobColumns },
    };
  }
  const columns = outcome.failure && failureColumns(outcome.failure);
  const { errorCode = null, errorMessage = null } = columns ?? {};
  return {
    attempt: { state, ...columns },
    job: { status, errorCode, errorMessage, nextAttemptAt: null },
  };
}

function factsOf(
  outcome: Ending['outcome'],
): Pick<CommittedEnd, 'upstreamRequestId' | 'errorCode'> {
  if (outcome.status === 'SUCCEEDED') {
    return { upstreamRequestId: outcome.answer.upstreamRequestId, errorCode: null };
  }
  const { failure } = outcome;
  return {
    upstreamRequestId: failure?.upstreamRequestId ?? null,
    errorCode: failure?.code ?? null,
  };
}

function costOf({ from, outcome }: Ending, results: Results | null): bigint | null {
  if (outcome.status === 'SUCCEEDED') return results?.cost?.amountMicroUsd ?? null;
  return outcome.status === 'FAILED' || from === 'QUEUED' ? 0n : null;
}

async function restoreCost(
  tx: Transaction,
  { jobId, ownerId }: Ending,
  { amountMicroUsd }: PricedUsage,
): Promise<void> {
  await tx.editJob.updateMany({
    where: { id: jobId, ...ownedBy(ownerId) },
    data: { costMicroUsd: amountMicroUsd },
  });
}

/** What it certainly used; unknown amounts are absent. */
function usedBy(
  { status, costMicroUsd }: EndedEdit,
  results: Results | null,
  manual: PricedUsage | null,
): SettledEdit['used'] {
  if (status !== 'SUCCEEDED') {
    return costMicroUsd === 0n ? { COST: 0n, TOKENS: 0n, IMAGES: 0n } : {};
  }
  const tokens = results?.usage?.totalTokens;
  return {
    IMAGES: BigInt(results?.outputs.length ?? 0),
    // A manual charge has been counted.
    ...(costMicroUsd !== null && manual === null && { COST: costMicroUsd }),
    ...(tokens !== undefined && { TOKENS: BigInt(tokens) }),
  };
}

/** Each end locks in the same order as all others that may lock the same rows. */
async function updateRows(
  tx: Transaction,
  edit: Ending,
  columns: Columns,
): Promise<Pick<CommittedEnd, 'job' | 'attempts'> | null> {
  const { from, jobId: id } = edit;
  switch (from) {
    case 'QUEUED': {
      const finishedAt = nowNotBefore(edit.createdAt);
      const data = { ...columns.job, finishedAt };
      const job = await updateJob(tx, edit.ownerId, { id, status: from }, data);
      return job && { job, attempts: null };
    }
    case 'RUNNING': {
      // The attempt before the job.
      const finishedAt = nowNotBefore(edit.startedAt);
      const where = edit.attemptId === null ? { jobId: id } : { id: edit.attemptId };
      const attempt = { ...columns.attempt, finishedAt };
      const attempts = await endAttempt(tx, edit.ownerId, where, attempt);
      if (attempts === null) return null;
      const job = await updateJob(
        tx,
        edit.ownerId,
        { id, status: from },
        { ...columns.job, finishedAt },
      );
      if (job === null) throw new Error(`edit ${id} has an open attempt and is not running`);
      return { job, attempts };
    }
    case 'OUTCOME_UNKNOWN': {
      // The job before the attempt, as deletion does.
      const where = { id, status: from, deletedAt: null };
      const job = await updateJob(tx, edit.ownerId, where, columns.job);
      if (job === null) return null;
      const [attempt] = await tx.editAttempt.updateManyAndReturn({
        where: { id: edit.attemptId, ...ownedBy(edit.ownerId), state: 'UNKNOWN' },
        data: columns.attempt,
        select: { number: true },
      });
      if (!attempt) throw new Error(`edit ${id} has no attempt with an unknown outcome`);
      return { job, attempts: attempt.number };
    }
  }
}

async function updateJob(
  tx: Transaction,
  ownerId: string,
  where: Prisma.EditJobWhereInput,
  data: Prisma.EditJobUpdateManyMutationInput,
): Promise<EndedJob | null> {
  const [job = null] = await tx.editJob.updateManyAndReturn({
    where: { ...where, ...ownedBy(ownerId) },
    data,
    select: OF_JOB,
  });
  return job;
}
