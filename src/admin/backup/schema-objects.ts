import type { SchemaObjects } from '../../database/created-objects.ts';
import type { MigrationConnection } from '../../database/database.ts';

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
