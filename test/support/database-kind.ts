import { inject } from 'vitest';

/**
 * The database that the suites of this project run on.
 * @throws in the project `unit`: a suite that uses a database there would run on one database only.
 */
export function databaseKind(): 'pglite' | 'postgres' {
  const kind = inject('databaseKind');
  if (kind !== undefined) return kind;
  throw new Error(
    'A test that uses a database must be in a *.db.test.ts file, so that it runs on both databases.',
  );
}
