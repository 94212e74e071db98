import type { Migration } from './apply-migrations.ts';

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
