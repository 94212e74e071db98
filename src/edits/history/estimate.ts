import { z } from 'zod';
import { visibleRows } from '../../auth/visible.ts';
import { Prisma, type PrismaClient } from '../../database/database.ts';
import { all, asked, type Reading } from './history-sql.ts';
import { promptsWith, type SearchTerm } from './prompt-search.ts';

const planSchema = z.array(z.tuple([z.object({ Plan: z.object({ 'Plan Rows': z.number() }) })]));

/** How many rows Postgres's planner expects, by its statistics: nothing is counted. */
export async function estimateRows(
  prisma: PrismaClient,
  reading: Pick<Reading, 'viewer' | 'conditions'>,
): Promise<number> {
  const rows = await prisma.$queryRaw<Record<string, unknown>[]>`
    EXPLAIN (FORMAT JSON) SELECT 1 FROM "EditJob" AS job WHERE ${all(asked(reading))}`;
  const plans = planSchema.parse(rows.map((row) => row['QUERY PLAN']));
  return plans[0]?.[0].Plan['Plan Rows'] ?? 0;
}

/** How often the prompts with a term are used. */
export function usesOf(term: SearchTerm): Prisma.Sql {
  return Prisma.sql`SELECT coalesce(sum(uses), 0) AS count FROM "Prompt"
    WHERE ${visibleRows(term.viewer, 'Prompt')} AND id IN (SELECT ${promptsWith(term, null)})`;
}
