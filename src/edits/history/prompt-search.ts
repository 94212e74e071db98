import type { Viewer } from '../../auth/viewer.ts';
import { visibleOwner, visibleRows } from '../../auth/visible.ts';
import { Prisma, type PrismaClient } from '../../database/database.ts';
import { InvalidInputError } from '../../errors.ts';
import { foldForSearch, termGrams } from '../prompts/search-text.ts';

/** Longest search term, in UTF-16 code units. */
const MAX_TERM_CHARACTERS = 1_000;

/**
 * How many rows in order are looked at before the index is asked: a term that many prompts have
 * fills a page sooner so.
 */
export const WALKED_ROWS = 3_000;

/** With more prompts than this it is cheaper to test the rows in order than to visit each prompt's. */
const MAX_VISITED_PROMPTS = 2_000;

/** A term to be found in the prompts that a viewer sees. */
export interface SearchTerm {
  readonly viewer: Viewer;
  readonly folded: string;
  readonly grams: readonly number[];
}

/** The prompts that have a term: those few, or too many to name. */
export type FoundPrompts =
  | { readonly kind: 'few'; readonly ids: readonly string[] }
  | { readonly kind: 'many'; readonly ids: Prisma.Sql };

/** @throws InvalidInputError for a term that is too long. */
export function checkSearch(search: string | null | undefined): void {
  if (!search || search.length <= MAX_TERM_CHARACTERS) return;
  throw new InvalidInputError(
    'search',
    'TOO_LARGE',
    `search may have at most ${MAX_TERM_CHARACTERS} characters; it has ${search.length}.`,
  );
}

/** @throws InvalidInputError for a term that is too long. Null: nothing to search for. */
export function searchTerm(viewer: Viewer, search: string | null | undefined): SearchTerm | null {
  if (!search) return null;
  checkSearch(search);
  const folded = foldForSearch(search);
  return { viewer, folded, grams: termGrams(visibleOwner(viewer), folded) };
}

/** Whether the viewer sees the row `search` of "PromptSearch" and it has the term. */
export const hasTerm = ({ viewer, folded }: SearchTerm) =>
  Prisma.sql`${visibleRows(viewer, 'search')} AND strpos(search.text, ${folded}) > 0`;

export async function findPrompts(
  prisma: Pick<PrismaClient, '$queryRaw'>,
  term: SearchTerm,
): Promise<FoundPrompts> {
  const found = await prisma.$queryRaw<{ id: string }[]>`
    SELECT id FROM (SELECT ${promptsWith(term, MAX_VISITED_PROMPTS + 1)} AS id) AS found`;
  return found.length > MAX_VISITED_PROMPTS
    ? { kind: 'many', ids: promptsWith(term, null) }
    : { kind: 'few', ids: found.map(({ id }) => id) };
}

export function promptsWith(
  { viewer, folded, grams }: SearchTerm,
  most: number | null,
): Prisma.Sql {
  return Prisma.sql`"promptsWith"(${visibleOwner(viewer)}, ${[...grams]}::int[], ${folded}, ${most}::bigint)`;
}
