import { Prisma, type PrismaClient } from '../database/database.ts';
import { type ListCount, MAX_COUNTED, plannedRows, toCount } from './count.ts';
import {
  isBefore,
  orderBy,
  type Position,
  type SortColumn,
  selectStretches,
  stretchesAfter,
} from './keyset.ts';
import type { Order } from './order.ts';
import {
  type Page,
  type PageArgs,
  type PageRange,
  pageRange,
  toPage,
  toReading,
} from './page-range.ts';

/** A list that objects have, such as the children of edits, in SQL. */
export interface ListSource {
  readonly order: Order<string>;
  readonly column: SortColumn;
  /** Id of an item. */
  readonly id: Prisma.Sql;
  /** Whether the rows of one object can contain an item several times. */
  readonly hasDuplicates: boolean;
  /** What follows FROM, with WHERE at its end: the rows of the object with this id. */
  rows(of: Prisma.Sql): Prisma.Sql;
  /** Type of the objects' ids. @default 'uuid' */
  readonly of?: 'uuid' | 'text';
}

/** By id alone. Ids are UUIDv7, so this is the order of creation. */
export function byId(
  id: Prisma.Sql,
  direction: Order<string>['direction'],
): Pick<ListSource, 'order' | 'column' | 'id'> {
  return {
    order: { field: 'ID', direction },
    column: { sql: id, type: 'uuid', isNullable: false },
    id,
  };
}

/**
 * The lists of many objects, by one statement for all of them. Results are in the order of the ids,
 * which must be distinct and the viewer's.
 */
export interface Lists {
  readonly order: Order<string>;
  /** @throws InvalidInputError for an invalid page size or cursor. */
  range(args: PageArgs): PageRange;
  /** The same page of each list. */
  pages(ids: readonly string[], range: PageRange): Promise<Page[]>;
  /** Counted up to MAX_COUNTED. Each longer list needs a statement for its estimate. */
  counts(ids: readonly string[]): Promise<ListCount[]>;
}

export function createLists(options: { prisma: PrismaClient; source: ListSource }): Lists {
  const { prisma, source } = options;
  const { order, column } = source;

  return {
    order,
    range: (args) => pageRange(args, order, column),
    async pages(ids, range) {
      const rows = await prisma.$queryRaw<(Position & { of: string })[]>(
        selectPages(source, ids, range),
      );
      const byObject = Map.groupBy(rows, ({ of }) => of);
      return ids.map((id) =>
        toPage(
          range,
          (byObject.get(id) ?? []).map((row) => ({ key: row.key, id: row.id })),
        ),
      );
    },
    async counts(ids) {
      const rows = await prisma.$queryRaw<{ of: string; count: number }[]>(
        selectCounts(source, ids),
      );
      const byObject = new Map(rows.map(({ of, count }) => [of, count]));
      return Promise.all(
        ids.map((id) =>
          toCount(byObject.get(id) ?? 0, () => plannedRows(prisma, selectList(source, id))),
        ),
      );
    },
  };
}

const asked = ({ of = 'uuid' }: ListSource, ids: readonly string[]) =>
  of === 'uuid'
    ? Prisma.sql`unnest(${[...ids]}::text[]::uuid[]) AS asked(id)`
    : Prisma.sql`unnest(${[...ids]}::text[]) AS asked(id)`;

const select = ({ hasDuplicates }: ListSource) =>
  hasDuplicates ? Prisma.sql`SELECT DISTINCT` : Prisma.sql`SELECT`;

/** Rows of `of`, `id` and `key`, in the order of reading. */
function selectPages(source: ListSource, ids: readonly string[], range: PageRange): Prisma.Sql {
  const { column, id, order } = source;
  const { direction, after, before, limit } = toReading(range, order);
  const rows = source.rows(Prisma.sql`asked.id`);
  const until = before === null ? [] : [isBefore(column, id, direction, before)];
  const list = selectStretches(
    column,
    stretchesAfter(column, id, direction, after),
    direction,
    limit,
    (stretch, ordered) => Prisma.sql`${select(source)} ${id} AS id, ${column.sql} AS key
      FROM ${rows} AND ${Prisma.join([...until, stretch], ' AND ')} ${ordered}`,
  );
  return Prisma.sql`
    SELECT asked.id::text AS "of", page.id::text AS id, page.key::text AS key
    FROM ${asked(source, ids)} CROSS JOIN LATERAL (${list}) AS page
    ${orderBy(column, direction, Prisma.sql`page.key`, Prisma.sql`page.id`)}`;
}

/** Rows of `of` and `count`. */
function selectCounts(source: ListSource, ids: readonly string[]): Prisma.Sql {
  const rows = source.rows(Prisma.sql`asked.id`);
  return Prisma.sql`SELECT asked.id::text AS "of", (
      SELECT count(*)::int FROM (
        ${select(source)} ${source.id} FROM ${rows} LIMIT ${MAX_COUNTED + 1}
      ) AS counted) AS count
    FROM ${asked(source, ids)}`;
}

function selectList(source: ListSource, of: string): Prisma.Sql {
  const id = source.of === 'text' ? Prisma.sql`${of}::text` : Prisma.sql`${of}::uuid`;
  return Prisma.sql`${select(source)} ${source.id} FROM ${source.rows(id)}`;
}
