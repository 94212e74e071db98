/** Checks the migrations by the rules of CONTRIBUTING.md. */

import { readMigrations } from '../src/database/migrations.ts';
import { readReleaseFixtures } from '../test/support/release-fixtures.ts';
import { migrationProblems } from './migration-rules.ts';

const releases = (await readReleaseFixtures()).map(({ newestMigration }) => newestMigration);
for (const problem of migrationProblems(await readMigrations(), releases)) {
  process.stderr.write(`${problem}\n`);
  process.exitCode = 1;
}
