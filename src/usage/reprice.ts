import { z } from 'zod';
import { ofAllOwners } from '../auth/visible.ts';
import { Prisma, type PrismaClient } from '../database/database.ts';
import { recountLimits } from '../limits/recount-limits.ts';
import type { Log } from '../log.ts';
import { MANUAL_PRICE_VERSION, type PriceTable } from '../models/prices.ts';
import { logProgress } from '../telemetry/progress.ts';
import { type PricedUsage, priceUsage } from './pricing.ts';

/** Jobs per transaction: few, so that locks are short. */
const BATCH = 500;

/** Which edits to reprice, of all owners; only those that succeeded with known tokens. */
export interface RepriceRange {
  /** Lower bound of the creation time, inclusive. */
  readonly from: Date | null;
  /** Upper bound, exclusive. */
  readonly to: Date | null;
  readonly model: string | null;
  /** Only jobs after this id. */
  readonly afterId: string | null;
  /** Maximum number of jobs to examine. */
  readonly limit: number;
}

export interface RepriceCounts {
  readonly examined: number;
  /** Jobs with a new charge. */
  readonly repriced: number;
  readonly unchanged: number;
  /** Jobs that the current table cannot price; they keep their charges. */
  readonly unknown: number;
  /** The last examined job if there may be more. */
  readonly lastId: string | null;
}

/**
 * Recomputes costs from the raw usage and the current price table, at the time of each edit. A
 * charge that changes is kept as superseded beside the new one; one that an admin has set stays.
 *
 * Each batch is one transaction with a fixed number of statements. An interrupted call has
 * committed its batches and can be repeated. A batch locks its jobs before it reads their charges,
 * so that a concurrent call sees its results. Running edits are not touched: they are charged when
 * they end.
 */
export type RepriceJobs = (range: RepriceRange, signal: AbortSignal) => Promise<RepriceCounts>;

const tokens = z.number().nullable();
const rowSchema = z.object({
  id: z.string(),
  ownerId: z.string(),
  model: z.string(),
  sentAt: z.date(),
  inputTokens: z.number(),
  inputTextTokens: tokens,
  inputImageTokens: tokens,
  inputCachedTokens: tokens,
  inputCachedTextTokens: tokens,
  inputCachedImageTokens: tokens,
  outputTokens: z.number(),
  outputTextTokens: tokens,
  outputImageTokens: tokens,
  amountMicroUsd: z.bigint().nullable(),
  priceVersion: z.string().nullable(),
});
type Row = z.infer<typeof rowSchema>;

export function createRepriceJobs(options: {
  prisma: PrismaClient;
  prices: PriceTable;
  /** For its progress. Null: its caller reports it. */
  log: Log | null;
}): RepriceJobs {
  const { prisma, prices, log } = options;

  const repriceBatch = (range: RepriceRange, size: number) =>
    prisma.$transaction(async (tx) => {
      const rows = await lockAndRead(tx, range, size);
      const costs = rows.map((row) => priceUsage(prices, row.model, row, row.sentAt));
      const changes = rows.flatMap((row, index): Change[] => {
        const cost = costs[index] ?? null;
        return cost === null || isSame(row, cost)
          ? []
          : [{ jobId: row.id, ownerId: row.ownerId, previous: row.amountMicroUsd, ...cost }];
      });
      if (changes.length > 0) await write(tx, changes);
      return {
        examined: rows.length,
        repriced: changes.length,
        unknown: costs.filter((cost) => cost === null).length,
        lastId: rows.at(-1)?.id ?? null,
      };
    });

  return async (range, signal) => {
    let [examined, repriced, unknown] = [0, 0, 0];
    let { afterId } = range;
    let isMore = true;
    const figures = () => ({ examined, repriced });
    using _progress = log && logProgress(log, 'repricing edits', figures);
    while (isMore && examined < range.limit) {
      signal.throwIfAborted();
      const size = Math.min(BATCH, range.limit - examined);
      const batch = await repriceBatch({ ...range, afterId }, size);
      examined += batch.examined;
      repriced += batch.repriced;
      unknown += batch.unknown;
      afterId = batch.lastId;
      isMore = batch.examined === size;
    }
    const unchanged = examined - repriced - unknown;
    return { examined, repriced, unchanged, unknown, lastId: isMore ? afterId : null };
  };
}

type Change = PricedUsage & {
  readonly jobId: string;
  readonly ownerId: string;
  /** Null: unknown so far. */
  readonly previous: bigint | null;
};

/** How many jobs a range has without its limit. */
export async function countPriceable(
  prisma: PrismaClient,
  edits: Pick<RepriceRange, 'from' | 'to' | 'model'>,
): Promise<number> {
  const [row] = await ofAllOwners(prisma).$queryRaw<{ count: number }[]>`
    SELECT count(*)::int AS count
    FROM "EditJob" AS job
    JOIN "TokenUsage" AS usage ON usage."jobId" = job.id AND usage."totalTokens" IS NOT NULL
    WHERE ${isPriceable({ ...edits, afterId: null })}`;
  return row?.count ?? 0;
}

function isPriceable({ from, to, model, afterId }: Omit<RepriceRange, 'limit'>): Prisma.Sql {
  const where = [Prisma.sql`job.status = 'SUCCEEDED'`];
  if (from !== null) where.push(Prisma.sql`job."createdAt" >= ${from}`);
  if (to !== null) where.push(Prisma.sql`job."createdAt" < ${to}`);
  if (model !== null) where.push(Prisma.sql`job.model = ${model}`);
  if (afterId !== null) where.push(Prisma.sql`job.id > ${afterId}::uuid`);
  return Prisma.join(where, ' AND ');
}

async function lockAndRead(
  tx: Prisma.TransactionClient,
  range: RepriceRange,
  size: number,
): Promise<Row[]> {
  const locked = await ofAllOwners(tx).$queryRaw<{ id: string }[]>`
    SELECT job.id
    FROM "EditJob" AS job
    JOIN "TokenUsage" AS usage ON usage."jobId" = job.id AND usage."totalTokens" IS NOT NULL
    WHERE ${isPriceable(range)}
    ORDER BY job.id LIMIT ${size} FOR NO KEY UPDATE OF job`;
  // A separate statement: one that waits for a lock reads other tables in their earlier state.
  const rows = await ofAllOwners(tx).$queryRaw<unknown[]>`
    SELECT
      job.id, job."ownerId", job.model, coalesce(job."startedAt", job."createdAt") AS "sentAt",
      usage."inputTokens", usage."inputTextTokens", usage."inputImageTokens",
      usage."inputCachedTokens", usage."inputCachedTextTokens", usage."inputCachedImageTokens",
      usage."outputTokens", usage."outputTextTokens", usage."outputImageTokens",
      charge."amountMicroUsd", charge."priceVersion"
    FROM "EditJob" AS job
    JOIN "TokenUsage" AS usage ON usage."jobId" = job.id
    LEFT JOIN "Charge" AS charge ON charge."jobId" = job.id AND charge."supersededAt" IS NULL
    WHERE job.id = ANY(${locked.map(({ id }) => id)}::uuid[])
    ORDER BY job.id`;
  return rows.map((row) => rowSchema.parse(row));
}

function isSame(row: Row, cost: PricedUsage): boolean {
  if (row.priceVersion === MANUAL_PRICE_VERSION) return true;
  return row.amountMicroUsd === cost.amountMicroUsd && row.priceVersion === cost.priceVersion;
}

async function write(tx: Prisma.TransactionClient, changes: readonly Change[]): Promise<void> {
  const jobIds = changes.map(({ jobId }) => jobId);
  const amounts = changes.map(({ amountMicroUsd }) => amountMicroUsd);
  await ofAllOwners(tx).charge.updateMany({
    where: { jobId: { in: jobIds }, supersededAt: null },
    data: { supersededAt: new Date() },
  });
  await tx.charge.createMany({ data: changes.map(({ previous: _, ...charge }) => charge) });
  await ofAllOwners(tx).$executeRaw`
    UPDATE "EditJob" AS job SET "costMicroUsd" = new.amount
    FROM unnest(${jobIds}::uuid[], ${amounts}::bigint[]) AS new (id, amount)
    WHERE job.id = new.id`;
  await recountLimits(
    tx,
    changes.map(({ jobId, amountMicroUsd, previous }) => ({
      jobId,
      measure: 'COST',
      change: amountMicroUsd - (previous ?? 0n),
    })),
  );
}
