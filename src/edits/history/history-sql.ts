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
import type { HistoryOrderField } from './history-query.ts';
import { type FoundPrompts, hasTerm, type SearchTerm, WALKED_ROWS } from './prompt-search.ts';

export const SORT_COLUMNS = {
  CREATED_AT: { sql: Prisma.sql`job."createdAt"`, type: 'timestamptz', isNullable: false },
  COST: { sql: Prisma.sql`job."costMicroUsd"`, type: 'bigint', isNullable: true },
  TOTAL_TOKENS: { sql: Prisma.sql`job."totalTokens"`, type: 'bigint', isNullable: true },
  DURATION: { sql: Prisma.sql`job."durationMs"`, type: 'bigint', isNullable: true },
} satisfies Record<HistoryOrderField, SortColumn>;

const ID = Prisma.sql`job.id`;
const HAS_PROMPT = Prisma.sql`job."promptId" = found.id`;

/** Rows of "EditJob" in the order of reading. */
export interface Reading {
  readonly viewer: Viewer;
  /** On the row `job`. */
  readonly conditions: readonly Prisma.Sql[];
  readonly column: SortColumn;
  readonly direction: Direction;
  readonly after: Position | null;
  readonly before: Position | null;
  readonly limit: number;
  /** An expression on the row `job`, to be read of each edit. */
  readonly data?: Prisma.Sql | undefined;
}

/** A row of a reading. */
export interface ReadPosition extends Position {
  /** The reading's `data` as text. */
  readonly data?: string;
}

/** Without a search: the rows in order, from an index over the owner and the order. */
export function readInOrder(reading: Reading): Prisma.Sql {
  return positions(reading, stretched(reading, reading.limit, reading.conditions));
}

/** Looks for a term in the first rows only: gives a whole page, or less than there may be. */
export function readWalking(reading: Reading, term: SearchTerm): Prisma.Sql {
  const walked = stretched(reading, WALKED_ROWS, reading.conditions);
  return positions(
    reading,
    Prisma.sql`SELECT walked.id, walked.key FROM (${walked}) AS walked
      JOIN "PromptSearch" AS search ON search."promptId" = walked."promptId"
      WHERE ${hasTerm(term)}`,
  );
}

/** The rows with one of these prompts. */
export function readFound(reading: Reading, found: FoundPrompts): Prisma.Sql {
  if (found.kind === 'many') {
    return positions(
      reading,
      stretched(reading, reading.limit, [...reading.conditions, isOneOf(found.ids)]),
    );
  }
  // For each prompt its own first rows.
  const own = stretched(reading, reading.limit, [HAS_PROMPT, ...reading.conditions], {
    byPrompt: true,
  });
  return positions(
    reading,
    Prisma.sql`SELECT own.id, own.key FROM unnest(${[...found.ids]}::text[]::uuid[]) AS found(id)
      CROSS JOIN LATERAL (${own}) AS own`,
  );
}

/** So many edits, counted to `limit`. */
export function countRows(
  reading: Pick<Reading, 'viewer' | 'conditions'>,
  found: FoundPrompts | null,
  limit: number,
): Prisma.Sql {
  if (found?.kind === 'few') {
    const own = Prisma.sql`SELECT 1 FROM "EditJob" AS job
      WHERE ${all([HAS_PROMPT, isInHistory(reading.viewer), ...reading.conditions])}`;
    return Prisma.sql`SELECT count(*) FROM (
      SELECT 1 FROM unnest(${[...found.ids]}::text[]::uuid[]) AS found(id)
      CROSS JOIN LATERAL (${own} OFFSET 0) AS own LIMIT ${limit}) AS counted`;
  }
  const those = [...asked(reading), ...(found === null ? [] : [isOneOf(found.ids)])];
  return Prisma.sql`SELECT count(*) FROM (
    SELECT 1 FROM "EditJob" AS job WHERE ${all(those)} LIMIT ${limit}) AS counted`;
}

/** The rows `job` of the history that the viewer sees. */
function inHistorySql(viewer: Viewer): Prisma.Sql[] {
  return [visibleRows(viewer, 'job'), Prisma.sql`job."deletedAt" IS NULL`];
}

/**
 * The same for rows that are found by their prompt: a test that no index over the owner can serve,
 * since that would read the owner's rows in order, to the last one for a prompt that only old ones have.
 */
export function isInHistory(viewer: Viewer): Prisma.Sql {
  return Prisma.sql`(${visibleRows(viewer, 'job')}) IS TRUE AND job."deletedAt" IS NULL`;
}

export const all = (conditions: readonly Prisma.Sql[]) => Prisma.join(conditions, ' AND ');

/** A table in memory that rows are tested by; as a join it would decide the order of reading. */
function isOneOf(promptIds: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`(job."promptId" IN (SELECT ${promptIds})) IS TRUE`;
}

export const asked = ({ viewer, conditions }: Pick<Reading, 'viewer' | 'conditions'>) => [
  ...inHistorySql(viewer),
  ...conditions,
];

/**
 * The first rows of the history within a reading's bounds that meet conditions, in order, with one
 * more column.
 */
export function stretched(
  { viewer, column, direction, after, before }: Reading,
  limit: number,
  conditions: readonly Prisma.Sql[],
  options: { from?: Prisma.Sql; more?: Prisma.Sql; byPrompt?: boolean } = {},
): Prisma.Sql {
  const { from, more = Prisma.sql`job."promptId"`, byPrompt = false } = options;
  const until = before === null ? [] : [isBefore(column, ID, direction, before)];
  const visible = byPrompt ? [isInHistory(viewer)] : inHistorySql(viewer);
  return selectStretches(
    column,
    stretchesAfter(column, ID, direction, after),
    direction,
    limit,
    (stretch, ordered) => Prisma.sql`
      SELECT job.id, ${column.sql} AS key, ${more} FROM ${from ?? Prisma.sql`"EditJob"`} AS job
      WHERE ${all([...visible, ...conditions, ...until, stretch])} ${ordered}`,
  );
}

/** The columns of a ReadPosition, in order. */
export function positions(reading: Reading, rows: Prisma.Sql): Prisma.Sql {
  const { column, direction, limit } = reading;
  const order = orderBy(column, direction, Prisma.sql`page.key`, Prisma.sql`page.id`);
  return Prisma.sql`SELECT page.id, page.key::text AS key${dataOf(reading)} FROM (${rows}) AS page
    ${order} LIMIT ${limit}`;
}

function dataOf({ viewer, data }: Reading): Prisma.Sql {
  if (data === undefined) return Prisma.empty;
  const those = [Prisma.sql`job.id = page.id`, ...inHistorySql(viewer)];
  return Prisma.sql`,
    (SELECT ${data}::text FROM "EditJob" AS job WHERE ${all(those)}) AS data`;
}
