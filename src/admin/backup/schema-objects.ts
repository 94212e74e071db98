import type { Migration } from '../../database/apply-migrations.ts';
import type { MigrationConnection } from '../../database/database.ts';

/** What migrations have ever created, by name. */
export interface SchemaObjects {
  /** Also the names that others were renamed to. A view may have the name of a table of earlier. */
  readonly tables: readonly string[];
  readonly views: readonly string[];
  readonly types: readonly string[];
  readonly functions: readonly string[];
}

export function objectsOf(migrations: readonly Migration[]): SchemaObjects {
  const named = (pattern: string) => [
    ...new Set(
      migrations.flatMap(({ sql }) =>
        [...sql.matchAll(new RegExp(`${pattern} "(\\w+)"`, 'g'))].map(([, name = '']) => name),
      ),
    ),
  ];
  const created = (kind: string) => named(`CREATE (?:OR REPLACE )?${kind}`);
  return {
    tables: [...new Set([...created('TABLE'), ...named('ALTER TABLE "\\w+" RENAME TO')])],
    views: created('VIEW'),
    types: created('(?:TYPE|DOMAIN)'),
    functions: created('FUNCTION'),
  };
}

/** Drops these objects, and nothing else in the schema, in one transaction. */
export async function dropObjects(
  session: MigrationConnection,
  { tables, views, types, functions }: SchemaObjects,
): Promise<void> {
  // DROP … IF EXISTS fails on an object of the other kind.
  const ofKind = async (kind: 'r' | 'v', names: readonly string[]) => {
    const rows = await session.query(
      `SELECT relname::text AS name FROM pg_class
       WHERE relnamespace = current_schema()::regnamespace AND relkind = $1::text::"char"
         AND relname::text IN (SELECT jsonb_array_elements_text($2::jsonb))`,
      [kind, JSON.stringify(names)],
    );
    return rows.map(({ name }) => quoted(String(name)));
  };
  const found = await session.query(
    `SELECT oid::regprocedure::text AS name FROM pg_proc
     WHERE pronamespace = current_schema()::regnamespace
       AND proname::text IN (SELECT jsonb_array_elements_text($1::jsonb))`,
    [JSON.stringify(functions)],
  );
  await session.run(
    [
      'BEGIN',
      ...found.map(({ name }) => `DROP FUNCTION ${name} CASCADE`),
      ...(await ofKind('v', views)).map((name) => `DROP VIEW IF EXISTS ${name} CASCADE`),
      ...(await ofKind('r', tables)).map((name) => `DROP TABLE IF EXISTS ${name} CASCADE`),
      ...types.map((name) => `DROP TYPE IF EXISTS ${quoted(name)} CASCADE`),
      'COMMIT',
    ].join('; '),
  );
}

/** A name in SQL. */
export const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
