import { ofAllOwners } from '../auth/visible.ts';
import type { Transaction } from '../database/database.ts';
import { APPLIES } from './applies.ts';

/** What becomes known of an edit after it has ended. */
export interface KnownUse {
  readonly jobId: string;
  readonly measure: 'COST' | 'TOKENS' | 'IMAGES';
  /** Above what was counted before; negative if it is less. */
  readonly change: bigint;
}

/**
 * Applies changed or newly known use of edits to their limits, and settles its reservations. The
 * transaction has locked the jobs; at most one use of a measure for each.
 */
export async function recountLimits(tx: Transaction, uses: readonly KnownUse[]): Promise<void> {
  const jobIds = uses.map(({ jobId }) => jobId);
  const measures = uses.map(({ measure }) => measure);
  const changes = uses.map(({ change }) => change);
  // A separate statement, in a fixed order: it locks several limits, and a statement that waits for
  // a lock reads other tables in their earlier state.
  await ofAllOwners(tx).$executeRaw`
    UPDATE "Limit" SET "updatedAt" = now()
    FROM (
      SELECT "Limit".id FROM "Limit"
      WHERE "Limit".measure::text = ANY (${measures}::text[]) AND EXISTS (
        SELECT FROM "EditJob" AS job WHERE job.id = ANY (${jobIds}::uuid[]) AND ${APPLIES}
      )
      ORDER BY "Limit".id FOR NO KEY UPDATE
    ) AS locked
    WHERE "Limit".id = locked.id`;
  await ofAllOwners(tx).$executeRaw`
    WITH uses AS (
      SELECT "jobId", measure, change
      FROM unnest(${jobIds}::uuid[], ${measures}::text[], ${changes}::bigint[])
        AS uses ("jobId", measure, change)
    ), released AS (
      UPDATE "LimitReservation" AS reservation SET "settledAt" = now() FROM uses
      WHERE reservation."jobId" = uses."jobId" AND reservation.measure::text = uses.measure
        AND reservation."settledAt" IS NULL
      RETURNING uses."jobId", uses.measure, reservation.amount
    ), changes AS (
      SELECT "Limit".id, sum(uses.change)::bigint AS used,
        coalesce(sum(released.amount), 0)::bigint AS released
      FROM uses
      JOIN "EditJob" AS job ON job.id = uses."jobId"
      JOIN "Limit" ON "Limit".measure::text = uses.measure AND ${APPLIES}
      LEFT JOIN "LimitReservation" AS reservation ON reservation."jobId" = job.id
        AND reservation."ownerId" = job."ownerId" AND reservation.measure = "Limit".measure
      LEFT JOIN released ON released."jobId" = job.id AND released.measure = uses.measure
      WHERE coalesce(reservation."reservedAt", job."createdAt") >= "Limit"."windowStart"
      GROUP BY "Limit".id
    )
    UPDATE "Limit" SET
      settled = "Limit".settled + changes.used,
      reserved = "Limit".reserved - changes.released,
      "updatedAt" = now()
    FROM changes
    WHERE "Limit".id = changes.id`;
}
