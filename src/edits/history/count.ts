import { z } from 'zod';
import type { Prisma, PrismaClient } from '../../database/database.ts';
import { type ListCount, MAX_COUNTED, toCount } from '../../paging/count.ts';
import { estimateRows, usesOf } from './estimate.ts';
import { countRows, type Reading } from './history-sql.ts';
import { countLabeled, type LabelTerm } from './label-search.ts';
import { findPrompts, type SearchTerm } from './prompt-search.ts';

type Those = Pick<Reading, 'viewer' | 'conditions'> & { readonly labels: LabelTerm | null };

const rowsSchema = z.tuple([z.object({ count: z.coerce.number() })]);

export async function countHistory(
  prisma: PrismaClient,
  those: Those,
  term: SearchTerm | null,
): Promise<ListCount> {
  const count = await countTo(prisma, those, term, MAX_COUNTED + 1);
  return toCount(count, () => estimate(prisma, those, term));
}

async function countTo(
  prisma: PrismaClient,
  those: Those,
  term: SearchTerm | null,
  limit: number,
): Promise<number> {
  if (term === null && those.labels !== null) {
    const counted = await countLabeled(prisma, those.viewer, those.labels, limit);
    if (counted !== null) return counted;
  }
  const found = term === null ? null : await findPrompts(prisma, term);
  const [{ count }] = await queryOne(prisma, countRows(those, found, limit));
  return count;
}

/** With a term: all uses of its prompts, times the part of the owner's edits that the filter takes. */
async function estimate(
  prisma: PrismaClient,
  those: Those,
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
