import { z } from 'zod';
import type { Viewer } from '../auth/viewer.ts';
import { visibleRows } from '../auth/visible.ts';
import { Prisma, type PrismaClient } from '../database/database.ts';

const count = z.bigint().transform(Number);

/** A row of SUMS_OF_SUMS. */
export const usageSumsSchema = z.object({
  edits: count,
  sandboxEdits: count,
  pending: count,
  succeeded: count,
  failed: count,
  canceled: count,
  unresolved: count,
  images: count,
  editsWithUsage: count,
  totalTokens: count,
  inputTokens: count,
  inputTextTokens: count,
  inputImageTokens: count,
  cachedInputTokens: count,
  outputTokens: count,
  outputTextTokens: count,
  outputImageTokens: count,
  costMicroUsd: z.bigint(),
  nominalCostMicroUsd: z.bigint(),
  editsWithCost: count,
  editsWithUnknownCost: count,
});

/**
 * Sums over edits. `pending`, `succeeded`, `failed`, `canceled` and `unresolved` add up to `edits`.
 * Unknown values do not count: tokens are those reported, costs those charged.
 */
export type UsageSums = z.infer<typeof usageSumsSchema>;

/** The sums over no edits. */
export const NO_EDITS: UsageSums = usageSumsSchema.parse(
  Object.fromEntries(Object.keys(usageSumsSchema.shape).map((name) => [name, 0n])),
);

/** Without a response that says so. The cost is known once an admin has resolved it. */
const MAY_BE_PAID = Prisma.sql`(
  "status" = 'OUTCOME_UNKNOWN' OR ("status" = 'CANCELED' AND "errorCode" IS NOT NULL)
)`;

/**
 * Over rows of "EditJob". Uses only columns that "EditJob_usage_idx" includes, for an index-only
 * scan.
 */
export const SUMS_OF_EDITS = Prisma.sql`
  count(*) AS "edits",
  count(*) FILTER (WHERE "sandbox") AS "sandboxEdits",
  count(*) FILTER (WHERE "status" IN ('QUEUED', 'RUNNING')) AS "pending",
  count(*) FILTER (WHERE "status" = 'SUCCEEDED') AS "succeeded",
  count(*) FILTER (
    WHERE "status" = 'FAILED' OR (${MAY_BE_PAID} AND "costMicroUsd" IS NOT NULL)
  ) AS "failed",
  count(*) FILTER (WHERE "status" = 'CANCELED' AND "errorCode" IS NULL) AS "canceled",
  count(*) FILTER (WHERE ${MAY_BE_PAID} AND "costMicroUsd" IS NULL) AS "unresolved",
  sum("outputCount") AS "images",
  count("totalTokens") AS "editsWithUsage",
  sum("totalTokens") AS "totalTokens",
  sum("inputTokens") AS "inputTokens",
  sum("inputTextTokens") AS "inputTextTokens",
  sum("inputImageTokens") AS "inputImageTokens",
  sum("inputCachedTokens") AS "cachedInputTokens",
  sum("outputTokens") AS "outputTokens",
  sum("outputTextTokens") AS "outputTextTokens",
  sum("outputImageTokens") AS "outputImageTokens",
  sum("costMicroUsd") AS "costMicroUsd",
  sum("costMicroUsd") FILTER (WHERE "sandbox") AS "nominalCostMicroUsd",
  count("costMicroUsd") AS "editsWithCost",
  count(*) FILTER (
    WHERE "status" = 'SUCCEEDED' AND "costMicroUsd" IS NULL
  ) AS "editsWithUnknownCost"`;

/** Over rows of such sums. */
export const SUMS_OF_SUMS = Prisma.join(
  Object.keys(usageSumsSchema.shape)
    .map((name) => Prisma.raw(`"${name}"`))
    .map((name) => Prisma.sql`coalesce(sum(${name}), 0)::bigint AS ${name}`),
);

/** Of the viewer's edits that a condition on "EditJob" selects, in one statement. */
export async function sumEdits(
  prisma: PrismaClient,
  viewer: Viewer,
  where: Prisma.Sql,
): Promise<UsageSums> {
  const [row] = await prisma.$queryRaw<unknown[]>`
    SELECT ${SUMS_OF_SUMS} FROM (
      SELECT ${SUMS_OF_EDITS} FROM "EditJob" WHERE ${visibleRows(viewer, 'EditJob')} AND ${where}
    ) AS sums`;
  return usageSumsSchema.parse(row);
}
