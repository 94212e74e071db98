import { z } from 'zod';
import type { Viewer } from '../auth/viewer.ts';
import type { PrismaClient } from '../database/database.ts';

const count = z.bigint().transform(Number);
const rowSchema = z.object({
  day: z.string().nullable(),
  edits: count,
  succeeded: count,
  failed: count,
  unresolved: count,
  images: count,
  editsWithUsage: count,
  totalTokens: count,
  inputTokens: count,
  inputTextTokens: count,
  inputImageTokens: count,
  outputTokens: count,
});

/** Sums over edits. Tokens are those that the edits API reported; unknown ones count nowhere. */
export type UsageTotals = Omit<z.infer<typeof rowSchema>, 'day'>;

/** A day of UTC, `2026-11-22`, that has edits. */
export type UsageDay = UsageTotals & { readonly day: string };

export interface UsageReport {
  readonly totals: UsageTotals;
  readonly days: readonly UsageDay[];
}

export interface UsageReports {
  /** Edits created from `from` (inclusive) to `to` (exclusive), in one statement. */
  report(viewer: Viewer, from: Date, to: Date): Promise<UsageReport>;
}

export function createUsageReports({ prisma }: { prisma: PrismaClient }): UsageReports {
  return {
    async report(viewer, from, to) {
      // The empty grouping set is the totals' row: it is there even when there are no edits.
      const rows = await prisma.$queryRaw<unknown[]>`
        SELECT
          to_char(day, 'YYYY-MM-DD') AS day,
          count(job.id) AS edits,
          count(*) FILTER (WHERE status = 'SUCCEEDED') AS succeeded,
          count(*) FILTER (WHERE status = 'FAILED') AS failed,
          count(*) FILTER (WHERE status = 'OUTCOME_UNKNOWN') AS unresolved,
          coalesce(sum("outputCount"), 0)::bigint AS images,
          count(usage."jobId") AS "editsWithUsage",
          coalesce(sum(usage."totalTokens"), 0)::bigint AS "totalTokens",
          coalesce(sum(usage."inputTokens"), 0)::bigint AS "inputTokens",
          coalesce(sum(usage."inputTextTokens"), 0)::bigint AS "inputTextTokens",
          coalesce(sum(usage."inputImageTokens"), 0)::bigint AS "inputImageTokens",
          coalesce(sum(usage."outputTokens"), 0)::bigint AS "outputTokens"
        FROM (
          SELECT id, status, "outputCount", date_trunc('day', "createdAt" AT TIME ZONE 'UTC') AS day
          FROM "EditJob"
          WHERE "ownerId" = ${viewer.ownerId} AND "createdAt" >= ${from} AND "createdAt" < ${to}
        ) AS job
        LEFT JOIN "TokenUsage" AS usage ON usage."jobId" = job.id
        GROUP BY GROUPING SETS ((day), ())
        ORDER BY day NULLS LAST`;
      const parsed = rows.map((row) => rowSchema.parse(row));
      const totals = parsed.at(-1);
      if (totals === undefined) throw new Error('a usage report has at least its totals');
      return {
        totals,
        days: parsed.flatMap(({ day, ...sums }) => (day === null ? [] : [{ day, ...sums }])),
      };
    },
  };
}
