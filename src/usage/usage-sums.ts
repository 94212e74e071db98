import { z } from 'zod';
import { Prisma } from '../database/database.ts';

const count = z.bigint().transform(Number);

/** The columns of USAGE_SUMS. */
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
 * What is not known counts nowhere: tokens are those that were reported, costs those that were
 * charged.
 */
export type UsageSums = z.infer<typeof usageSumsSchema>;

/** Over rows of "EditJob" as `job`, each with its "TokenUsage", or none, as `usage`. */
export const USAGE_SUMS = Prisma.sql`
  count(*) AS "edits",
  count(*) FILTER (WHERE job."sandbox") AS "sandboxEdits",
  count(*) FILTER (WHERE job."status" IN ('QUEUED', 'RUNNING')) AS "pending",
  count(*) FILTER (WHERE job."status" = 'SUCCEEDED') AS "succeeded",
  count(*) FILTER (WHERE job."status" = 'FAILED') AS "failed",
  count(*) FILTER (WHERE job."status" = 'CANCELED' AND job."errorCode" IS NULL) AS "canceled",
  count(*) FILTER (
    WHERE job."status" = 'OUTCOME_UNKNOWN'
      OR job."status" = 'CANCELED' AND job."errorCode" IS NOT NULL
  ) AS "unresolved",
  coalesce(sum(job."outputCount"), 0)::bigint AS "images",
  count(usage."jobId") AS "editsWithUsage",
  coalesce(sum(usage."totalTokens"), 0)::bigint AS "totalTokens",
  coalesce(sum(usage."inputTokens"), 0)::bigint AS "inputTokens",
  coalesce(sum(usage."inputTextTokens"), 0)::bigint AS "inputTextTokens",
  coalesce(sum(usage."inputImageTokens"), 0)::bigint AS "inputImageTokens",
  coalesce(sum(usage."inputCachedTokens"), 0)::bigint AS "cachedInputTokens",
  coalesce(sum(usage."outputTokens"), 0)::bigint AS "outputTokens",
  coalesce(sum(usage."outputTextTokens"), 0)::bigint AS "outputTextTokens",
  coalesce(sum(usage."outputImageTokens"), 0)::bigint AS "outputImageTokens",
  coalesce(sum(job."costMicroUsd"), 0)::bigint AS "costMicroUsd",
  coalesce(sum(job."costMicroUsd") FILTER (WHERE job."sandbox"), 0)::bigint AS "nominalCostMicroUsd",
  count(job."costMicroUsd") AS "editsWithCost",
  count(*) FILTER (
    WHERE job."status" = 'SUCCEEDED' AND job."costMicroUsd" IS NULL
  ) AS "editsWithUnknownCost"`;
