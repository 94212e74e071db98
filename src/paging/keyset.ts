import { Prisma } from '../database/database.ts';
import type { Direction } from './order.ts';

/** A column that rows are ordered by, before their id. */
export interface SortColumn {
  readonly sql: Prisma.Sql;
  /** Type that its text is cast to. */
  readonly type: 'timestamptz' | 'bigint' | 'uuid';
  /** Null counts as the smallest value. */
  readonly isNullable: boolean;
}

/** Position of a row in an order: the column's value as Postgres writes it, and the id. */
export interface Position {
  readonly key: string | null;
  readonly id: string;
}

/** `ORDER BY`, spelled exactly like the indexes, which otherwise would not apply. */
export function orderBy(
  { isNullable }: SortColumn,
  direction: Direction,
  key: Prisma.Sql,
  id: Prisma.Sql,
): Prisma.Sql {
  const nulls = direction === 'DESC' ? 'NULLS LAST' : 'NULLS FIRST';
  const way = Prisma.raw(direction);
  return Prisma.sql`ORDER BY ${key} ${way} ${Prisma.raw(isNullable ? nulls : '')}, ${id} ${way}`;
}

/**
 * The rows after a position, as one or two consecutive ranges, each with a condition that enters an
 * index over (column, id) at the right place. Null to start at the first row.
 */
export function stretchesAfter(
  column: SortColumn,
  id: Prisma.Sql,
  direction: Direction,
  from: Position | null,
): Prisma.Sql[] {
  if (from === null) return [Prisma.sql`TRUE`];
  const { sql } = column;
  const beyond = direction === 'DESC' ? Prisma.sql`<` : Prisma.sql`>`;
  if (from.key !== null) {
    const rest = Prisma.sql`(${sql}, ${id}) ${beyond} (${from.key}${cast(column)}, ${from.id}::uuid)`;
    // Rows without a value come last if the smallest come last.
    const unknown = direction === 'DESC' && column.isNullable;
    return unknown ? [rest, Prisma.sql`${sql} IS NULL`] : [rest];
  }
  const rest = Prisma.sql`${sql} IS NULL AND ${id} ${beyond} ${from.id}::uuid`;
  return direction === 'DESC' ? [rest] : [rest, Prisma.sql`${sql} IS NOT NULL`];
}

/** Filters out the rows before a position while reading in order. */
export function isBefore(
  column: SortColumn,
  id: Prisma.Sql,
  direction: Direction,
  until: Position,
): Prisma.Sql {
  const stretches = stretchesAfter(column, id, direction === 'DESC' ? 'ASC' : 'DESC', until);
  return Prisma.sql`(${Prisma.join(stretches, ' OR ')})`;
}

function cast({ type }: SortColumn): Prisma.Sql {
  return Prisma.raw(`::${type}`);
}

/**
 * Runs `select` with each range as its condition, in order, for at most `limit` rows in all. It
 * must return the columns `id` and `key`, and may return others.
 */
export function selectStretches(
  column: SortColumn,
  stretches: readonly Prisma.Sql[],
  direction: Direction,
  limit: number,
  select: (stretch: Prisma.Sql, ordered: Prisma.Sql) => Prisma.Sql,
): Prisma.Sql {
  const order = orderBy(column, direction, Prisma.sql`key`, Prisma.sql`id`);
  const ordered = Prisma.sql`${order} LIMIT ${limit}`;
  const [only, ...more] = stretches.map((stretch) => select(stretch, ordered));
  if (only !== undefined && more.length === 0) return only;
  const all = [only, ...more].map((part) => Prisma.sql`(${part})`);
  return Prisma.sql`${Prisma.join(all, ' UNION ALL ')} ${ordered}`;
}
