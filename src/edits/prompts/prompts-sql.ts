import type { Viewer } from '../../auth/viewer.ts';
import { visibleRows } from '../../auth/visible.ts';
import { Prisma } from '../../database/database.ts';
import {
  isBefore,
  orderBy,
  type Position,
  type SortColumn,
  selectStretches,
  stretchesAfter,
} from '../../paging/keyset.ts';
import type { Direction } from '../../paging/order.ts';
import {
  type FoundPrompts,
  hasTerm,
  type SearchTerm,
  WALKED_ROWS,
} from '../history/prompt-search.ts';

export type PromptOrderField = 'LAST_USE' | 'FIRST_USE' | 'USES';

export const PROMPT_COLUMNS = {
  LAST_USE: { sql: Prisma.sql`prompt."lastUsedAt"`, type: 'timestamptz', isNullable: false },
  FIRST_USE: { sql: Prisma.sql`prompt."createdAt"`, type: 'timestamptz', isNullable: false },
  USES: { sql: Prisma.sql`prompt.uses`, type: 'bigint', isNullable: false },
} satisfies Record<PromptOrderField, SortColumn>;

/** Rows of "Prompt" in the order of reading. */
export interface PromptReading {
  readonly viewer: Viewer;
  readonly column: SortColumn;
  readonly direction: Direction;
  readonly after: Position | null;
  readonly before: Position | null;
  readonly limit: number;
}

export function readPrompts(reading: PromptReading): Prisma.Sql {
  return positions(reading, stretched(reading, reading.limit));
}

/** Looks for a term in the first rows only: gives a whole page, or less than there may be. */
export function readWalkingPrompts(reading: PromptReading, term: SearchTerm): Prisma.Sql {
  return positions(
    reading,
    Prisma.sql`SELECT walked.id, walked.key FROM (${stretched(reading, WALKED_ROWS)}) AS walked
      JOIN "PromptSearch" AS search ON search."promptId" = walked.id WHERE ${hasTerm(term)}`,
  );
}

export function readFoundPrompts(reading: PromptReading, found: FoundPrompts): Prisma.Sql {
  return positions(reading, stretched(reading, reading.limit, [isOneOf(found)]));
}

function isOneOf(found: FoundPrompts): Prisma.Sql {
  return found.kind === 'few'
    ? Prisma.sql`prompt.id = ANY (${[...found.ids]}::text[]::uuid[])`
    : Prisma.sql`(prompt.id IN (SELECT ${found.ids})) IS TRUE`;
}

/** The viewer's prompts, or those of them that a search found. */
export function selectPrompts(viewer: Viewer, found: FoundPrompts | null): Prisma.Sql {
  const conditions = [visibleRows(viewer, 'prompt'), ...(found === null ? [] : [isOneOf(found)])];
  return Prisma.sql`SELECT 1 FROM "Prompt" AS prompt WHERE ${Prisma.join(conditions, ' AND ')}`;
}

/** Their number, counted up to `limit`. */
export function countPrompts(
  viewer: Viewer,
  found: FoundPrompts | null,
  limit: number,
): Prisma.Sql {
  return Prisma.sql`SELECT count(*)::int AS count
    FROM (${selectPrompts(viewer, found)} LIMIT ${limit}) AS counted`;
}

function stretched(
  { viewer, column, direction, after, before }: PromptReading,
  limit: number,
  conditions: readonly Prisma.Sql[] = [],
): Prisma.Sql {
  const id = Prisma.sql`prompt.id`;
  const until = before === null ? [] : [isBefore(column, id, direction, before)];
  return selectStretches(
    column,
    stretchesAfter(column, id, direction, after),
    direction,
    limit,
    (stretch, ordered) => Prisma.sql`
      SELECT prompt.id, ${column.sql} AS key FROM "Prompt" AS prompt
      WHERE ${Prisma.join([visibleRows(viewer, 'prompt'), ...conditions, ...until, stretch], ' AND ')}
      ${ordered}`,
  );
}

function positions({ column, direction, limit }: PromptReading, rows: Prisma.Sql): Prisma.Sql {
  const order = orderBy(column, direction, Prisma.sql`page.key`, Prisma.sql`page.id`);
  return Prisma.sql`SELECT page.id, page.key::text AS key FROM (${rows}) AS page
    ${order} LIMIT ${limit}`;
}
