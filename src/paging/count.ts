import { z } from 'zod';
import type { Prisma, PrismaClient } from '../database/database.ts';

/** The items of a list are counted up to this number. */
export const MAX_COUNTED = 10_000;

/** The number of items of a list, on all its pages. */
export interface ListCount {
  /** Null if there are more than MAX_COUNTED. */
  readonly exact: number | null;
  /** `exact`, or an estimate above MAX_COUNTED. */
  readonly estimated: number;
}

/**
 * @param counted At most MAX_COUNTED + 1, where the count stops.
 * @param estimate Called only if the count stopped.
 */
export async function toCount(
  counted: number,
  estimate: () => Promise<number>,
): Promise<ListCount> {
  if (counted <= MAX_COUNTED) return { exact: counted, estimated: counted };
  return { exact: null, estimated: Math.max(Math.round(await estimate()), MAX_COUNTED + 1) };
}

const planSchema = z.array(z.tuple([z.object({ Plan: z.object({ 'Plan Rows': z.number() }) })]));

/** The number of rows that the planner expects of a SELECT, from statistics. It is not executed. */
export async function plannedRows(prisma: PrismaClient, select: Prisma.Sql): Promise<number> {
  const rows = await prisma.$queryRaw<Record<string, unknown>[]>`EXPLAIN (FORMAT JSON) ${select}`;
  const plans = planSchema.parse(rows.map((row) => row['QUERY PLAN']));
  return plans[0]?.[0].Plan['Plan Rows'] ?? 0;
}
