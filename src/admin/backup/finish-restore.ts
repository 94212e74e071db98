import { randomUUID } from 'node:crypto';
import { ofAllOwners } from '../../auth/visible.ts';
import { type Database, Prisma, type Transaction } from '../../database/database.ts';
import { UNFINISHED_RESTORE } from '../../database/missing-migrations.ts';
import { FORGET_EDITS } from '../../edits/deletion/forget-edits.ts';
import { inTurn, RUN_EDIT } from '../../edits/edit-queue.ts';
import type { Log } from '../../log.ts';
import { createEvents } from '../../queue/events.ts';
import { createQueue, type JobDefinition, type Queue } from '../../queue/queue.ts';

/** Hundreds of thousands of queue jobs take minutes. */
const TRANSACTION_MS = 6 * 60 * 60 * 1_000;

/** Deleted edits in one queue job. */
const BATCH = 500;

/** Name of the upstream of an attempt that nobody has recorded. */
const UNRECORDED = 'unknown';

/** Queue job that sends a webhook. */
export type DeliverWebhook = JobDefinition<{ deliveryId: string; turn: number }>;

/** What waits in a restored database. */
export interface RestoredQueue {
  /** Edits that were queued. */
  readonly queuedEdits: number;
  /** Edits that were being sent: they end as OUTCOME_UNKNOWN, or from their stored response. */
  readonly runningEdits: number;
  readonly deliveries: number;
}

/**
 * Makes a loaded database ready for a service, in one transaction: enqueues what waits, and removes
 * the mark of an unfinished restore.
 *
 * An edit that was queued may have been sent since by the installation that the contents are from. So
 * it gets an attempt of unknown fate, by a process that is gone: the next start ends it as
 * OUTCOME_UNKNOWN. With `requeue`, it is sent.
 */
export async function finishRestore(options: {
  database: Database;
  requeue: boolean;
  /** Attempts whose raw responses are in the blob store. */
  storedAnswers: readonly string[];
  deliverWebhook: DeliverWebhook;
  log: Log;
}): Promise<RestoredQueue> {
  const { database, requeue, storedAnswers, deliverWebhook, log } = options;
  const queue = createQueue({
    database,
    events: createEvents({ database, log }),
    supervise: false,
    log,
  });
  await queue.start([RUN_EDIT, deliverWebhook, FORGET_EDITS]);
  try {
    return await database.prisma.$transaction(
      async (tx) => {
        const jobs = Prisma.raw(`"${database.names.queueSchema}".job`);
        await tx.$executeRaw`DELETE FROM ${jobs}`;
        await forgetLostAnswers(tx, storedAnswers);
        const runningEdits = await ofAllOwners(tx).editJob.count({ where: { status: 'RUNNING' } });
        const queuedEdits = requeue ? await requeueEdits(tx, queue) : await markUnsure(tx);
        const deliveries = await requeueDeliveries(tx, queue, deliverWebhook);
        await requeueForgetting(tx, queue);
        await tx.$executeRaw`
          DELETE FROM _prisma_migrations WHERE migration_name = ${UNFINISHED_RESTORE}`;
        return { queuedEdits, runningEdits, deliveries };
      },
      { timeout: TRANSACTION_MS },
    );
  } finally {
    await queue.stop({ graceMs: 0 });
  }
}

/** Responses that were removed while the backup was made. */
async function forgetLostAnswers(tx: Transaction, stored: readonly string[]): Promise<void> {
  await ofAllOwners(tx).$executeRaw`
    UPDATE "EditAttempt" SET "answerStoredAt" = NULL
    WHERE "answerStoredAt" IS NOT NULL AND id::text <> ALL (${[...stored]}::text[])`;
}

async function markUnsure(tx: Transaction): Promise<number> {
  return ofAllOwners(tx).$executeRaw`
    WITH unsure AS (
      UPDATE "EditJob" SET status = 'RUNNING', "nextAttemptAt" = NULL,
        "startedAt" = coalesce("startedAt", "createdAt")
      WHERE status = 'QUEUED' RETURNING id, "ownerId", upstream, "createdAt"
    )
    INSERT INTO "EditAttempt" (id, "ownerId", "jobId", number, "processId", upstream, "sentAt")
    SELECT gen_random_uuid(), "ownerId", unsure.id,
      1 + (SELECT count(*)::int FROM "EditAttempt" WHERE "jobId" = unsure.id),
      ${randomUUID()}::uuid, coalesce(upstream, ${UNRECORDED}), "createdAt"
    FROM unsure`;
}

async function requeueEdits(tx: Transaction, queue: Queue): Promise<number> {
  const queued = await ofAllOwners(tx).editJob.findMany({
    where: { status: 'QUEUED' },
    select: { id: true, turn: true, nextAttemptAt: true },
    orderBy: { id: 'asc' },
  });
  for (const { id, turn, nextAttemptAt } of queued) {
    const startAfter = nextAttemptAt === null ? {} : { startAfter: nextAttemptAt };
    await queue.send(tx, RUN_EDIT, { jobId: id }, { ...startAfter, ...inTurn(turn) });
  }
  return queued.length;
}

async function requeueDeliveries(
  tx: Transaction,
  queue: Queue,
  deliverWebhook: DeliverWebhook,
): Promise<number> {
  const pending = await ofAllOwners(tx).webhookDelivery.findMany({
    where: { state: 'PENDING' },
    select: { id: true, turn: true, nextAttemptAt: true },
    orderBy: { id: 'asc' },
  });
  for (const { id, turn, nextAttemptAt } of pending) {
    const startAfter = nextAttemptAt === null ? {} : { startAfter: nextAttemptAt };
    await queue.send(tx, deliverWebhook, { deliveryId: id, turn }, startAfter);
  }
  return pending.length;
}

/** Deleted edits whose keys or responses are not removed yet. */
async function requeueForgetting(tx: Transaction, queue: Queue): Promise<void> {
  const rows = await ofAllOwners(tx).$queryRaw<{ jobId: string; attemptIds: string[] }[]>`
    SELECT job.id::text AS "jobId", ARRAY(
      SELECT id::text FROM "EditAttempt" WHERE "jobId" = job.id
    ) AS "attemptIds"
    FROM "EditJob" AS job
    WHERE job."deletedAt" IS NOT NULL AND (
      EXISTS (SELECT FROM "IdempotencyKey" WHERE "jobId" = job.id)
      OR EXISTS (SELECT FROM "EditAttempt" WHERE "jobId" = job.id AND "answerStoredAt" IS NOT NULL)
    )
    ORDER BY job.id`;
  for (let start = 0; start < rows.length; start += BATCH) {
    const batch = rows.slice(start, start + BATCH);
    await queue.send(tx, FORGET_EDITS, {
      jobIds: batch.map(({ jobId }) => jobId),
      attemptIds: batch.flatMap(({ attemptIds }) => attemptIds),
    });
  }
}
