import type { Migration } from '../../database/apply-migrations.ts';
import type { MigrationConnection } from '../../database/database.ts';

/** What migrations have ever created, by name. */
export interface SchemaObjects {
  readonly tables: readonly string[];
  readonly types: readonly string[];
  readonly functions: readonly string[];
}

export function objectsOf(migrations: readonly Migration[]): SchemaObjects {
  const created = (kind: string) => [
    ...new Set(
      migrations.flatMap(({ sql }) =>
        [...sql.matchAll(new RegExp(`CREATE (?:OR REPLACE )?${kind} "(\\w+)"`, 'g'))].map(
          ([, name = '']) => name,
        ),
      ),
    ),
  ];
  return { tables: created('TABLE'), types: created('TYPE'), functions: created('FUNCTION') };
}

/** Drops these objects, and nothing else in the schema, in one transaction. */
export async function dropObjects(
  session: MigrationConnection,
  { tables, types, functions }: SchemaObjects,
): Promise<void> {
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
      ...tables.map((name) => `DROP TABLE IF EXISTS ${quoted(name)} CASCADE`),
      ...types.map((name) => `DROP TYPE IF EXISTS ${quoted(name)} CASCADE`),
      'COMMIT',
    ].join('; '),
  );
}

/** A name in SQL. */
export const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
