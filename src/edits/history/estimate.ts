import { Prisma, type PrismaClient } from '../../database/database.ts';
import { plannedRows } from '../../paging/count.ts';
import { all, ofOwner, type Reading } from './history-sql.ts';
import type { SearchTerm } from './prompt-search.ts';

/** How many rows Postgres's planner expects, by its statistics: nothing is counted. */
export async function estimateRows(
  prisma: PrismaClient,
  { ownerId, conditions }: Pick<Reading, 'ownerId' | 'conditions'>,
): Promise<number> {
  const those = [...ofOwner({ ownerId, conditions }), ...conditions];
  return plannedRows(prisma, Prisma.sql`SELECT 1 FROM "EditJob" AS job WHERE ${all(those)}`);
}

/** How often the prompts with a term are used. */
export function usesOf({ ownerId, folded, grams }: SearchTerm): Prisma.Sql {
  return Prisma.sql`SELECT coalesce(sum(uses), 0) AS count FROM "Prompt"
    WHERE id IN (SELECT "promptsWith"(${ownerId}, ${[...grams]}::int[], ${folded}, NULL))`;
}
