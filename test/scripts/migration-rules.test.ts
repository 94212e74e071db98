import { describe, expect, test } from 'vitest';
import { migrationProblems } from '../../scripts/migration-rules.ts';
import { readMigrations } from '../../src/database/migrations.ts';
import { readReleaseFixtures } from '../support/release-fixtures.ts';

const RELEASES = ['20261129000000_initial', '29980101000000_expand'];

/** Of one migration after those that there are. */
async function problemsOf(sql: string): Promise<readonly string[]> {
  const migrations = [...(await readMigrations()), { name: '29990101000000_new', sql }];
  return [...migrationProblems(migrations, RELEASES)];
}

describe('a new migration', () => {
  test.each([
    'CREATE TABLE "New" ("id" UUID NOT NULL);\nCREATE INDEX "New_id_idx" ON "New"("id");\nALTER TABLE "New" ADD CONSTRAINT "New_fkey" FOREIGN KEY ("id") REFERENCES "EditJob"("id");',
    'ALTER TABLE "EditJob" ADD COLUMN "a" TEXT, ADD COLUMN "b" INT NOT NULL DEFAULT 0;',
    '-- DROP COLUMN\n-- Why.\nCREATE UNIQUE INDEX CONCURRENTLY "EditJob_a_key" ON "EditJob"("a" DESC) WHERE "a" IS NOT NULL;',
    'ALTER TABLE "EditJob" ADD CONSTRAINT "positive" CHECK ("n" > 0) NOT VALID;',
    '-- oldest compatible migration: 29980101000000_expand\nALTER TABLE "EditJob" DROP COLUMN "model";',
  ])('may %s', async (sql) => {
    expect(await problemsOf(sql)).toEqual([]);
  });

  test.each([
    ['CREATE INDEX "i" ON "EditJob"("model");', 'blocks writes to EditJob'],
    ['CREATE UNIQUE INDEX "i"\n  ON "EditJob" USING btree ("model");', 'blocks writes to EditJob'],
    ['CREATE INDEX CONCURRENTLY "i" ON "EditJob"("n");\nSELECT 1;', 'a migration of its own'],
    ['DROP INDEX CONCURRENTLY "EditJob_usage_idx";', 'a migration of its own'],
    ['ALTER TABLE "EditJob" ADD CONSTRAINT "c" CHECK ("n" > 0);', 'NOT VALID'],
    ['ALTER TABLE "EditJob" DROP COLUMN "model";', 'drops a column'],
    ['ALTER TABLE "EditJob" RENAME COLUMN "n" TO "count";', 'renames'],
    ['ALTER TABLE "EditJob" ALTER COLUMN "n" SET DATA TYPE BIGINT;', 'changes the type'],
    ['ALTER TABLE "EditJob" ALTER COLUMN "n" TYPE BIGINT;', 'changes the type'],
    ['ALTER TABLE "EditJob" ALTER COLUMN "startedAt" SET NOT NULL;', 'makes a column NOT NULL'],
    ['ALTER TABLE "EditJob" ADD COLUMN "a" INT NOT NULL;', 'NOT NULL without a default'],
    [
      'ALTER TABLE "EditJob" ADD COLUMN "a" DECIMAL(20,0) NOT NULL, ADD COLUMN "b" INT DEFAULT 0;',
      'NOT NULL without a default',
    ],
    ['DROP TABLE "Limit";', 'drops what older releases may use'],
    ['DROP DOMAIN "Period";', 'drops what older releases may use'],
    [
      '-- oldest compatible migration: 20261129094705_limits\nDROP TABLE "Limit";',
      'not the newest migration of a release',
    ],
  ])('must not %s', async (sql, problem) => {
    expect(await problemsOf(sql)).toEqual([expect.stringContaining(problem)]);
  });

  test('of this release keeps the rules', async () => {
    const releases = (await readReleaseFixtures()).map(({ newestMigration }) => newestMigration);
    expect([...migrationProblems(await readMigrations(), releases)]).toEqual([]);
  });
});
