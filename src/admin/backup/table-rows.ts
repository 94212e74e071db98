import type { MigrationConnection } from '../../database/database.ts';
import { quoted } from './schema-objects.ts';

/** A table and its columns as a backup has them, without generated ones. */
export interface TableShape {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}

/** Rows that are read or inserted at once: as many as have about this many characters. */
const BATCH_CHARACTERS = 512 * 1024;
const MAX_BATCH_ROWS = 1_000;

/** Settings that decide how values are written as text. */
const AS_TEXT = [
  `SET LOCAL TimeZone TO 'UTC'`,
  `SET LOCAL DateStyle TO 'ISO, MDY'`,
  `SET LOCAL IntervalStyle TO 'postgres'`,
  `SET LOCAL bytea_output TO 'hex'`,
  `SET LOCAL extra_float_digits TO '1'`,
];

/** Begins a transaction in which every read sees the same rows. */
export async function beginSnapshot(session: MigrationConnection): Promise<void> {
  await session.run(['BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', ...AS_TEXT].join('; '));
}

/** The tables that exist, of the named ones, by name. */
export async function readShapes(
  session: MigrationConnection,
  names: readonly string[],
): Promise<readonly TableShape[]> {
  const rows = await session.query(
    `SELECT class.relname::text AS table, attribute.attname::text AS name,
       format_type(attribute.atttypid, attribute.atttypmod) AS type
     FROM pg_class AS class JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid
     WHERE class.relnamespace = current_schema()::regnamespace AND class.relkind = 'r'
       AND class.relname::text IN (SELECT jsonb_array_elements_text($1::jsonb))
       AND attribute.attnum > 0 AND NOT attribute.attisdropped AND attribute.attgenerated = ''
     ORDER BY class.relname::text COLLATE "C", attribute.attnum`,
    [JSON.stringify(names)],
  );
  const shapes = new Map<string, { name: string; type: string }[]>();
  for (const { table, name, type } of rows) {
    const columns = shapes.get(String(table)) ?? [];
    columns.push({ name: String(name), type: String(type) });
    shapes.set(String(table), columns);
  }
  return [...shapes].map(([name, columns]) => ({ name, columns }));
}

/** How many rows a table has, in the snapshot of `session`. */
export async function countRows(session: MigrationConnection, table: string): Promise<number> {
  const [row] = await session.run(`SELECT count(*)::text AS rows FROM ${quoted(table)}`);
  return Number(row?.['rows']);
}

/**
 * The rows of a table, some at a time: each a JSON array of its values as Postgres writes them as
 * text, or null. So any type comes back as it was, in either database.
 * @param session is in a transaction, see `beginSnapshot`.
 */
export async function* readRows(
  session: MigrationConnection,
  { name, columns }: TableShape,
): AsyncGenerator<readonly string[], void> {
  const values = columns.map((column) => `${quoted(column.name)}::text`).join(', ');
  await session.run(
    `DECLARE backup_rows NO SCROLL CURSOR FOR
     SELECT json_build_array(${values})::text AS line FROM ${quoted(name)}`,
  );
  try {
    for (let size = 50; ; ) {
      const rows = await session.run(`FETCH ${size} FROM backup_rows`);
      if (rows.length === 0) return;
      const lines = rows.map(({ line }) => String(line));
      yield lines;
      const characters = lines.reduce((sum, line) => sum + line.length, 0);
      const fitting = Math.ceil((BATCH_CHARACTERS * rows.length) / characters);
      size = Math.min(MAX_BATCH_ROWS, fitting, size * 4);
    }
  } finally {
    // In a failed transaction, it fails as well.
    await session.run('CLOSE backup_rows').catch(() => {});
  }
}

/** Inserts rows that `readRows` returned. */
export async function insertRows(
  session: MigrationConnection,
  { name, columns }: TableShape,
  lines: readonly string[],
): Promise<void> {
  const names = columns.map((column) => quoted(column.name)).join(', ');
  const values = columns.map(({ type }, index) => `(line ->> ${index})::${type}`).join(', ');
  for (const batch of batchesOf(lines)) {
    await session.query(
      `INSERT INTO ${quoted(name)} (${names})
       SELECT ${values} FROM jsonb_array_elements($1::jsonb) AS line`,
      [`[${batch.join(',')}]`],
    );
  }
}

function* batchesOf(lines: readonly string[]): Generator<readonly string[], void> {
  let batch: string[] = [];
  let characters = 0;
  for (const line of lines) {
    batch.push(line);
    characters += line.length;
    if (characters < BATCH_CHARACTERS && batch.length < MAX_BATCH_ROWS) continue;
    yield batch;
    batch = [];
    characters = 0;
  }
  if (batch.length > 0) yield batch;
}

/** The values of some columns of rows that `readRows` returned. */
export function valuesOf<Name extends string>(
  { name: table, columns }: TableShape,
  line: string,
  names: readonly Name[],
): Readonly<Record<Name, string | null>> {
  const values: unknown = JSON.parse(line);
  if (!Array.isArray(values)) throw new TypeError(`a row of ${table} is not an array`);
  const entries = names.map((name) => {
    const value: unknown = values[columns.findIndex((column) => column.name === name)];
    return [name, typeof value === 'string' ? value : null];
  });
  return Object.fromEntries(entries);
}
