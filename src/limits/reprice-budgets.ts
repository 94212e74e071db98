import { ofAllOwners } from '../auth/visible.ts';
import type { Transaction } from '../database/database.ts';

/** A job whose cost was computed anew, and is not written down yet. */
export interface RepricedJob {
  readonly jobId: string;
  readonly amountMicroUsd: bigint;
}

/**
 * Takes costs that were computed anew into the budgets that the jobs count in; what a job of unknown
 * cost has held is settled by it. Before the jobs' own `costMicroUsd` changes, which tells what has
 * counted so far. The transaction has locked the jobs.
 */
export async function repriceBudgets(
  tx: Transaction,
  changes: readonly RepricedJob[],
): Promise<void> {
  const jobIds = changes.map(({ jobId }) => jobId);
  const amounts = changes.map(({ amountMicroUsd }) => amountMicroUsd);
  // A statement of its own, in one order: these are the budgets of several owners, and one that waits
  // for a lock reads other tables as they were before.
  await ofAllOwners(tx).$executeRaw`
    UPDATE "Budget" AS budget SET "updatedAt" = now()
    FROM (
      SELECT "ownerId" FROM "Budget" WHERE "ownerId" IN (
        SELECT "ownerId" FROM "EditJob" WHERE id = ANY (${jobIds}::uuid[])
      )
      ORDER BY "ownerId" FOR NO KEY UPDATE
    ) AS locked
    WHERE budget."ownerId" = locked."ownerId"`;
  await ofAllOwners(tx).$executeRaw`
    WITH released AS (
      UPDATE "Reservation" SET "settledAt" = now()
      WHERE "jobId" = ANY (${jobIds}::uuid[]) AND "settledAt" IS NULL
      RETURNING "jobId", "amountMicroUsd"
    ), changes AS (
      SELECT budget."ownerId",
        sum(new.amount - coalesce(job."costMicroUsd", 0))::bigint AS spent,
        coalesce(sum(released."amountMicroUsd"), 0)::bigint AS released
      FROM unnest(${jobIds}::uuid[], ${amounts}::bigint[]) AS new (id, amount)
      JOIN "EditJob" AS job ON job.id = new.id
      JOIN "Budget" AS budget ON budget."ownerId" = job."ownerId"
      LEFT JOIN "Reservation" AS reservation ON reservation."jobId" = job.id
      LEFT JOIN released ON released."jobId" = job.id
      WHERE coalesce(reservation."reservedAt", job."createdAt") >= budget."periodStart"
      GROUP BY budget."ownerId"
    )
    UPDATE "Budget" AS budget SET
      "spentMicroUsd" = "spentMicroUsd" + changes.spent,
      "reservedMicroUsd" = "reservedMicroUsd" - changes.released,
      "updatedAt" = now()
    FROM changes
    WHERE budget."ownerId" = changes."ownerId"`;
}
