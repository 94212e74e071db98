import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { createSchema, migrate, readMigrations } from '../../src/database/migrations.ts';
import { StartError } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
import { createTestDatabase, hasDatabase, type TestDatabase } from '../support/database.ts';

const log = createLog({ level: 'silent' });

// An embedded database is made from nothing, which takes its time on a busy machine.
describe.runIf(hasDatabase)('migrate', { timeout: 120_000 }, () => {
  let testDatabase: TestDatabase;
  let database: Database;
  async function use(options?: { isMigrated: boolean }) {
    testDatabase = await createTestDatabase(options);
    database = await testDatabase.open();
  }
  beforeEach(() => use());
  afterEach(drop);

  async function drop() {
    await database.close();
    await testDatabase.drop();
  }

  const applied = () =>
    database.prisma.$queryRaw<{ name: string }[]>`
      SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at IS NOT NULL ORDER BY 1`;

  async function useEmpty() {
    await drop();
    await use({ isMigrated: false });
  }

  test('brings an empty database to this release, in Prisma’s own table', async () => {
    await useEmpty();
    await migrate({ database, log });
    const { migrationDirectories } = await readMigrations();
    expect(await applied()).toEqual(migrationDirectories.map(({ path }) => ({ name: path })));
    expect(await database.prisma.editJob.count()).toBe(0);
  });

  test('leaves a database alone that is up to date', async () => {
    const before = await applied();
    await migrate({ database, log });
    expect(await applied()).toEqual(before);
  });

  test('several at once migrate once', async ({ skip }) => {
    if (database.kind === 'pglite') skip('an embedded database has one process');
    await useEmpty();
    const others = await Promise.all([testDatabase.open(), testDatabase.open()]);
    await Promise.all([database, ...others].map((each) => migrate({ database: each, log })));
    const { migrationDirectories } = await readMigrations();
    expect(await applied()).toHaveLength(migrationDirectories.length);
    await Promise.all(others.map((other) => other.close()));
  });

  test('refuses a database that a newer release has migrated', async () => {
    await database.prisma.$executeRaw`
      INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
      VALUES ('x', 'x', '29990101000000_future', now(), 1)`;
    await expect(migrate({ database, log })).rejects.toThrow('29990101000000_future');
  });

  test('refuses a database made before 0.1.0, and changes nothing', async () => {
    await useEmpty();
    const { prisma, kind, names } = database;
    await createSchema(database, names.schema);
    await prisma.$executeRaw`CREATE TABLE _prisma_migrations (
      id text, checksum text, migration_name text, finished_at timestamptz, rolled_back_at timestamptz)`;
    await prisma.$executeRaw`
      INSERT INTO _prisma_migrations VALUES ('x', 'x', '20261122232807_initial', now(), NULL)`;
    const contents = () => prisma.$queryRaw`
      SELECT relname::text, relnamespace::regnamespace::text FROM pg_class
      WHERE relnamespace::regnamespace::text NOT LIKE 'pg_%' ORDER BY 1, 2`;
    const before = await contents();
    const refusal = expect.objectContaining({
      message: `Retouch cannot start: the database ${
        kind === 'pglite'
          ? 'in DATA_DIR was made before 0.1.0: start with an empty DATA_DIR.'
          : 'of DATABASE_URL was made before 0.1.0: start with an empty database.'
      }`,
      isTemporary: false,
    });
    await expect(migrate({ database, log })).rejects.toThrow(StartError);
    await expect(migrate({ database, log })).rejects.toThrow(refusal);
    expect(await contents()).toEqual(before);
    expect(await applied()).toEqual([{ name: '20261122232807_initial' }]);
  });

  test('refuses a database whose migration was changed after it was applied', async () => {
    await database.prisma.$executeRaw`UPDATE _prisma_migrations SET checksum = 'other'`;
    await expect(migrate({ database, log })).rejects.toThrow('was changed');
  });

  test('lists the owners of rows that are older than the table of owners', async () => {
    const { prisma } = database;
    const { migrationDirectories } = await readMigrations();
    const access = migrationDirectories.find(({ path }) => path.endsWith('_access'));
    const sql =
      access?.migrationFile.content.tag === 'ok' ? access.migrationFile.content.value : '';
    await prisma.$executeRaw`
      INSERT INTO "EditJob" (id, "ownerId", sandbox, model, size, "resolvedSize", n, "createdAt")
      SELECT gen_random_uuid(), owner, TRUE, 'm', 's', 's', 1, at::timestamptz
      FROM (VALUES ('late', '2026-11-02'), ('a', '2026-11-03'), ('a', '2026-11-01')) AS job (owner, at)`;
    await prisma.$executeRawUnsafe(sql.slice(sql.indexOf('INSERT INTO "Owner"')));
    expect(await prisma.owner.findMany({ orderBy: { serial: 'asc' } })).toMatchObject([
      { id: 'a', createdAt: new Date('2026-11-01') },
      { id: 'late', createdAt: new Date('2026-11-02') },
    ]);
  });

  test('turns each budget of 0.1.0 into a limit, with what its edits have reserved', async () => {
    const { prisma } = database;
    const { migrationDirectories } = await readMigrations();
    const limits = migrationDirectories.find(({ path }) => path.endsWith('_limits'));
    const sql =
      limits?.migrationFile.content.tag === 'ok' ? limits.migrationFile.content.value : '';
    const run = async (script: string) => {
      for (const statement of script.split(/;\s*$/m)) {
        if (statement.trim() !== '') await prisma.$executeRawUnsafe(statement);
      }
    };
    await run(BEFORE_LIMITS);
    const job = '0197c3d0-0000-7000-8000-000000000000';
    await prisma.$executeRaw`
      INSERT INTO "EditJob" (id, "ownerId", sandbox, model, size, "resolvedSize", n)
      VALUES (${job}::uuid, 'a', TRUE, 'm', 's', 's', 1)`;
    await prisma.$executeRaw`
      INSERT INTO "Budget" VALUES
        ('a', 25, 'MONTH', '2026-11-01T00:00:00Z', 7, 10), ('b', 5, 'TOTAL', 'epoch', 1, 0)`;
    await prisma.$executeRaw`
      INSERT INTO "Reservation" ("jobId", "ownerId", "amountMicroUsd", bound, "reservedAt")
      VALUES (${job}::uuid, 'a', 10, '{}', '2026-11-02T00:00:00Z')`;
    await run(sql);
    const common = { subject: 'OWNER', apiKeyId: null, measure: 'COST', timeZone: 'UTC' };
    expect(await prisma.limit.findMany({ orderBy: { ownerId: 'asc' } })).toMatchObject([
      {
        ...common,
        ownerId: 'a',
        window: 'MONTH',
        amount: 25n,
        windowStart: new Date('2026-11-01T00:00:00Z'),
        settled: 7n,
        reserved: 10n,
      },
      {
        ...common,
        ownerId: 'b',
        window: 'TOTAL',
        amount: 5n,
        windowStart: new Date(0),
        settled: 1n,
      },
    ]);
    expect(await prisma.reservation.findMany()).toMatchObject([
      { jobId: job, ownerId: 'a', measure: 'COST', amount: 10n, settledAt: null },
    ]);
  });
});

/** Undoes the migration to limits on an empty database. */
const BEFORE_LIMITS = `
  DROP TABLE "Limit";
  ALTER TABLE "Reservation" DROP COLUMN measure;
  ALTER TABLE "Reservation" RENAME COLUMN amount TO "amountMicroUsd";
  ALTER TABLE "Reservation" ADD CONSTRAINT "Reservation_pkey" PRIMARY KEY ("jobId", "ownerId");
  CREATE INDEX "Reservation_ownerId_reservedAt_idx" ON "Reservation"("ownerId", "reservedAt");
  DROP TYPE "LimitSubject";
  DROP TYPE "LimitMeasure";
  DROP TYPE "LimitWindow";
  ALTER TABLE "EditJob" DROP COLUMN "apiKeyId", DROP COLUMN "apiKeyIds";
  CREATE TYPE "BudgetPeriod" AS ENUM ('DAY', 'MONTH', 'TOTAL');
  CREATE TABLE "Budget" (
    "ownerId" TEXT PRIMARY KEY, "limitMicroUsd" BIGINT NOT NULL, "period" "BudgetPeriod" NOT NULL,
    "periodStart" TIMESTAMPTZ(3) NOT NULL, "spentMicroUsd" BIGINT NOT NULL DEFAULT 0,
    "reservedMicroUsd" BIGINT NOT NULL DEFAULT 0,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
  );
`;
