import { visibleRows } from '../../auth/visible.ts';
import { Prisma, type PrismaClient } from '../../database/database.ts';
import { plannedRows } from '../../paging/count.ts';
import { all, asked, type Reading } from './history-sql.ts';
import { promptsWith, type SearchTerm } from './prompt-search.ts';

/** How many rows Postgres's planner expects, by its statistics: nothing is counted. */
export async function estimateRows(
  prisma: PrismaClient,
  reading: Pick<Reading, 'viewer' | 'conditions'>,
): Promise<number> {
  const those = asked(reading);
  return plannedRows(prisma, Prisma.sql`SELECT 1 FROM "EditJob" AS job WHERE ${all(those)}`);
}

/** How often the prompts with a term are used. */
export function usesOf(term: SearchTerm): Prisma.Sql {
  return Prisma.sql`SELECT coalesce(sum(uses), 0) AS count FROM "Prompt"
    WHERE ${visibleRows(term.viewer, 'Prompt')} AND id IN (SELECT ${promptsWith(term, null)})`;
}
