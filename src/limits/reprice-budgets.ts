import { ofAllOwners } from '../auth/visible.ts';
import type { Transaction } from '../database/database.ts';

/** A job with a recomputed cost that is not stored yet. */
export interface RepricedJob {
  readonly jobId: string;
  readonly amountMicroUsd: bigint;
}

/**
 * Applies recomputed costs to the budgets of the jobs, and settles reservations of jobs whose cost
 * was unknown. Call this before `costMicroUsd` of the jobs changes, which says what has been
 * counted so far. The transaction has locked the jobs.
 */
export async function repriceBudgets(
  tx: Transaction,
  changes: readonly RepricedJob[],
): Promise<void> {
  const jobIds = changes.map(({ jobId }) => jobId);
  const amounts = changes.map(({ amountMicroUsd }) => amountMicroUsd);
  // A separate statement, in a fixed order: it locks budgets of several owners, and a statement
  // that waits for a lock reads other tables in their earlier state.
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
