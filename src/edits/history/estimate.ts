import { z } from 'zod';
import { Prisma, type PrismaClient } from '../../database/database.ts';
import { all, ofOwner, type Reading } from './history-sql.ts';
import type { SearchTerm } from './prompt-search.ts';

const planSchema = z.array(z.tuple([z.object({ Plan: z.object({ 'Plan Rows': z.number() }) })]));

/** How many rows Postgres's planner expects, by its statistics: nothing is counted. */
export async function estimateRows(
  prisma: PrismaClient,
  { ownerId, conditions }: Pick<Reading, 'ownerId' | 'conditions'>,
): Promise<number> {
  const those = [...ofOwner({ ownerId, conditions }), ...conditions];
  const rows = await prisma.$queryRaw<Record<string, unknown>[]>`
    EXPLAIN (FORMAT JSON) SELECT 1 FROM "EditJob" AS job WHERE ${all(those)}`;
  const plans = planSchema.parse(rows.map((row) => row['QUERY PLAN']));
  return plans[0]?.[0].Plan['Plan Rows'] ?? 0;
}

/** How often the prompts with a term are used. */
export function usesOf({ ownerId, folded, grams }: SearchTerm): Prisma.Sql {
  return Prisma.sql`SELECT coalesce(sum(uses), 0) AS count FROM "Prompt"
    WHERE id IN (SELECT "promptsWith"(${ownerId}, ${[...grams]}::int[], ${folded}, NULL))`;
}
