import { z } from 'zod';
import type { Prisma, PrismaClient } from '../../database/database.ts';
import { type ListCount, MAX_COUNTED, toCount } from '../../paging/count.ts';
import { estimateRows, usesOf } from './estimate.ts';
import { countRows, type Reading } from './history-sql.ts';
import { countByMetadata, type MetadataTerm } from './metadata-search.ts';
import { findPrompts, type SearchTerm } from './prompt-search.ts';

type CountedRows = Pick<Reading, 'viewer' | 'conditions'> & {
  readonly metadata: MetadataTerm | null;
};

const rowsSchema = z.tuple([z.object({ count: z.coerce.number() })]);

export async function countHistory(
  prisma: PrismaClient,
  those: CountedRows,
  term: SearchTerm | null,
): Promise<ListCount> {
  const count = await countTo(prisma, those, term, MAX_COUNTED + 1);
  return toCount(count, () => estimate(prisma, those, term));
}

async function countTo(
  prisma: PrismaClient,
  those: CountedRows,
  term: SearchTerm | null,
  limit: number,
): Promise<number> {
  if (term === null && those.metadata !== null) {
    const counted = await countByMetadata(prisma, those.viewer, those.metadata, limit);
    if (counted !== null) return counted;
  }
  const found = term === null ? null : await findPrompts(prisma, term);
  const [{ count }] = await queryOne(prisma, countRows(those, found, limit));
  return count;
}

/** With a term: all uses of its prompts, times the part of the owner's edits that the filter takes. */
async function estimate(
  prisma: PrismaClient,
  those: CountedRows,
  term: SearchTerm | null,
): Promise<number> {
  if (term === null) return estimateRows(prisma, those);
  const [{ count: uses }] = await queryOne(prisma, usesOf(term));
  if (those.conditions.length === 0) return uses;
  const filtered = await estimateRows(prisma, those);
  const allOfOwner = await estimateRows(prisma, { ...those, conditions: [] });
  return allOfOwner === 0 ? uses : uses * Math.min(1, filtered / allOfOwner);
}

const queryOne = async (prisma: PrismaClient, sql: Prisma.Sql) =>
  rowsSchema.parse(await prisma.$queryRaw(sql));
