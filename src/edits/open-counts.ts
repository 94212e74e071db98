import { ofAllOwners } from '../auth/visible.ts';
import type { PrismaClient } from '../database/database.ts';

/** The edits of all owners that something is still to be done about. */
export interface OpenCounts {
  readonly queued: number;
  readonly running: number;
  /** Since the submission of the oldest queued edit; 0 without one. */
  readonly oldestQueuedSeconds: number;
  /** Their outcome and their cost are unknown: an admin may resolve them. */
  readonly unknownOutcomes: number;
}

/** Counts them by the index of the status: one statement. */
export async function countOpenEdits(prisma: PrismaClient): Promise<OpenCounts> {
  const [counts] = await ofAllOwners(prisma).$queryRaw<OpenCounts[]>`
    SELECT count(*) FILTER (WHERE status = 'QUEUED')::int AS queued,
      count(*) FILTER (WHERE status = 'RUNNING')::int AS running,
      greatest(coalesce(extract(epoch FROM
        now() - min("createdAt") FILTER (WHERE status = 'QUEUED')), 0), 0)::float8
        AS "oldestQueuedSeconds",
      count(*) FILTER (WHERE status = 'OUTCOME_UNKNOWN' AND "costMicroUsd" IS NULL
        AND "deletedAt" IS NULL)::int AS "unknownOutcomes"
    FROM "EditJob" WHERE status IN ('QUEUED', 'RUNNING', 'OUTCOME_UNKNOWN')`;
  if (counts === undefined) throw new Error('a count has no row');
  return counts;
}
