import { PGlite } from '@electric-sql/pglite';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import { SchemaEngine } from '@prisma/schema-engine-wasm';
import { PrismaPGlite } from 'pglite-prisma-adapter';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { migrationList } from '../../scripts/migration-list.ts';
import { applyMigrations, MIGRATION_LOCK } from '../../src/database/apply-migrations.ts';
import type { Database } from '../../src/database/database.ts';
import {
  createSchema,
  findMissingMigrations,
  migrate,
  readMigrations,
} from '../../src/database/migrations.ts';
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
    const migrations = await readMigrations();
    expect(await applied()).toEqual(migrations.map(({ name }) => ({ name })));
    expect(await database.prisma.editJob.count()).toBe(0);
  });

  test('leaves what Prisma’s own engine would have left', async ({ skip }) => {
    if (database.kind !== 'pglite') skip('the engine is asked about databases in memory');
    const [ours, theirs] = [await PGlite.create(), await PGlite.create()];
    const migrations = await readMigrations();
    const run = async (script: string) =>
      (await ours.exec(script)).at(-1)?.rows as readonly Record<string, unknown>[];
    const query = run;
    await applyMigrations({ run, query, async [Symbol.asyncDispose]() {} }, migrations, { log });
    expect(await applyByEngine(theirs)).toEqual(migrations.map(({ name }) => name));
    expect(await applyByEngine(ours)).toEqual([]);
    for (const each of [TABLES, VIEWS, CONSTRAINTS, FUNCTIONS, MIGRATIONS]) {
      expect((await ours.query(each)).rows).toEqual((await theirs.query(each)).rows);
    }
    await Promise.all([ours.close(), theirs.close()]);
  });

  test('leaves nothing behind of a migration that fails, so that it can be tried again', async () => {
    await useEmpty();
    const { prisma, names } = database;
    await createSchema(database, names.schema);
    const [first] = await readMigrations();
    if (first === undefined) throw new Error('there are no migrations');
    await using connection = await database.openForMigration();
    const broken = { ...first, sql: `CREATE TABLE half (id int);\n${first.sql}\nSELECT nothing` };
    await expect(applyMigrations(connection, [broken], { log })).rejects.toThrow('nothing');
    expect(await prisma.$queryRaw`SELECT to_regclass('half')::text AS half`).toEqual([
      { half: null },
    ]);
    expect(await applied()).toEqual([]);
    await migrate({ database, log });
    expect(await applied()).toHaveLength((await readMigrations()).length);
  });

  test('refuses a database with a migration that was begun and did not finish', async () => {
    await database.prisma.$executeRaw`
      UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name LIKE '%_limits'`;
    await expect(migrate({ database, log })).rejects.toThrow(/_limits .* did not finish/);
  });

  test('leaves a database alone that is up to date', async () => {
    const before = await applied();
    await migrate({ database, log });
    expect(await applied()).toEqual(before);
  });

  test('leaves migrations alone that an operator has marked so that 0.1.0 starts', async () => {
    await database.prisma.$executeRaw`
      UPDATE _prisma_migrations SET rolled_back_at = now()
      WHERE migration_name > '20261129000000_initial'`;
    const before = await applied();
    await migrate({ database, log });
    expect(await applied()).toEqual(before);
  });

  test('applies a migration again that failed and was marked as rolled back, as by Prisma’s own engine', async () => {
    const newest = (await readMigrations()).at(-1)?.name ?? '';
    await using connection = await database.openForMigration();
    await connection.run(UNDO_RELEASE_0_1_0);
    await database.prisma.$executeRaw`
      UPDATE _prisma_migrations SET finished_at = NULL, rolled_back_at = now()
      WHERE migration_name = ${newest}`;
    await migrate({ database, log });
    expect((await applied()).at(-1)).toEqual({ name: newest });
  });

  test('several at once migrate once', async ({ skip }) => {
    if (database.kind === 'pglite') skip('an embedded database has one process');
    await useEmpty();
    const others = await Promise.all([testDatabase.open(), testDatabase.open()]);
    await Promise.all([database, ...others].map((each) => migrate({ database: each, log })));
    expect(await applied()).toHaveLength((await readMigrations()).length);
    await Promise.all(others.map((other) => other.close()));
  });

  test('does not take what another process has just created for another application’s', async ({
    skip,
  }) => {
    if (database.kind === 'pglite') skip('an embedded database has one process');
    await useEmpty();
    const other = await testDatabase.open();
    // The other one migrates between the look for migrations and the look for tables.
    const prisma = new Proxy(database.prisma, {
      get(target, name, receiver) {
        if (name !== '$queryRaw') return Reflect.get(target, name, receiver);
        return async (sql: TemplateStringsArray, ...values: unknown[]) => {
          const rows = await target.$queryRaw(sql, ...values);
          if (sql.join().includes('to_regclass')) await migrate({ database: other, log });
          return rows;
        };
      },
    });
    await migrate({ database: { ...database, prisma }, log });
    expect(await applied()).toHaveLength((await readMigrations()).length);
    await other.close();
  });

  test('waits for Prisma’s own engine, which writes the row of a migration before its end', async ({
    skip,
  }) => {
    if (database.kind === 'pglite') skip('an embedded database has one process');
    const engine = await database.openForMigration();
    await engine.run(`SELECT pg_advisory_lock(${MIGRATION_LOCK})`);
    const last = `migration_name = (SELECT max(migration_name) FROM _prisma_migrations)`;
    await engine.run(`UPDATE _prisma_migrations SET finished_at = NULL WHERE ${last}`);
    const { promise: waits, resolve } = Promise.withResolvers<void>();
    const write = (line: string) => {
      if (line.includes('waiting for another process')) resolve();
    };
    const done = migrate({ database, log: createLog({ level: 'info', destination: { write } }) });
    await Promise.race([waits, done]);
    await expect(findMissingMigrations(database)).rejects.toThrow('is migrating the database');
    await engine.run(`UPDATE _prisma_migrations SET finished_at = now() WHERE ${last}`);
    await engine[Symbol.asyncDispose]();
    await done;
    expect(await applied()).toHaveLength((await readMigrations()).length);
  });

  test('refuses a database made before 0.1.0, and changes nothing', async () => {
    await useEmpty();
    const { prisma, kind, names } = database;
    await createSchema(database, names.schema);
    await prisma.$executeRaw`CREATE TABLE _prisma_migrations (
      id text, checksum text, migration_name text, finished_at timestamptz, logs text,
      rolled_back_at timestamptz)`;
    await prisma.$executeRaw`
      INSERT INTO _prisma_migrations VALUES ('x', 'x', '20261122232807_initial', now(), NULL, NULL)`;
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
    const sql = await sqlOf('_access');
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

  test('turns each budget of 0.1.0 into a limit, with what its edits have reserved, and 0.1.0 still reads it', async () => {
    const { prisma } = database;
    const run = async (script: string) => {
      await using connection = await database.openForMigration();
      await connection.run(script);
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
    await run(await sqlOf('_limits'));
    await run(await sqlOf('_release_0_1_0'));
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
    expect(await prisma.limitReservation.findMany()).toMatchObject([
      { jobId: job, ownerId: 'a', measure: 'COST', amount: 10n, settledAt: null },
    ]);
    expect(
      await prisma.$queryRaw`
        SELECT "ownerId", "limitMicroUsd", period::text, "spentMicroUsd", "reservedMicroUsd"
        FROM "Budget" ORDER BY 1`,
    ).toEqual([
      {
        ownerId: 'a',
        limitMicroUsd: 25n,
        period: 'MONTH',
        spentMicroUsd: 7n,
        reservedMicroUsd: 10n,
      },
      { ownerId: 'b', limitMicroUsd: 5n, period: 'TOTAL', spentMicroUsd: 1n, reservedMicroUsd: 0n },
    ]);
    expect(await prisma.$queryRaw`SELECT "amountMicroUsd" FROM "Reservation"`).toEqual([
      { amountMicroUsd: 10n },
    ]);
  });
});

const TABLES = `
  SELECT table_name, column_name, data_type, udt_name, character_maximum_length, is_nullable,
    column_default
  FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2`;
const CONSTRAINTS = `
  SELECT conrelid::regclass::text, conname::text, pg_get_constraintdef(oid) FROM pg_constraint
  WHERE connamespace = 'public'::regnamespace
  UNION ALL SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
  ORDER BY 1, 2, 3`;
const VIEWS = `
  SELECT viewname::text, definition FROM pg_views WHERE schemaname = 'public' ORDER BY 1`;
const FUNCTIONS = `
  SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
  UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
  ORDER BY 1`;
const MIGRATIONS = `
  SELECT migration_name, checksum, finished_at IS NOT NULL AS finished, applied_steps_count,
    rolled_back_at
  FROM _prisma_migrations ORDER BY 1`;

async function applyByEngine(pglite: PGlite): Promise<readonly string[]> {
  const engine = await SchemaEngine.new(
    { datamodels: undefined },
    () => {},
    bindMigrationAwareSqlAdapterFactory(new PrismaPGlite(pglite)),
  );
  const { appliedMigrationNames } = await engine.applyMigrations({
    migrationsList: await migrationList(),
    filters: { externalTables: [], externalEnums: [] },
  });
  engine.free();
  return appliedMigrationNames;
}

async function sqlOf(suffix: string): Promise<string> {
  return (await readMigrations()).find(({ name }) => name.endsWith(suffix))?.sql ?? '';
}

/** Undoes the migration for 0.1.0. */
const UNDO_RELEASE_0_1_0 = `
  DROP VIEW "Budget", "Reservation";
  DROP DOMAIN "BudgetPeriod";
  DROP FUNCTION "writeBudget", "chooseBudget" CASCADE;
  ALTER TABLE "Limit" DROP COLUMN "budgetOwnerId";
  ALTER TABLE "LimitReservation" RENAME TO "Reservation";
  ALTER TABLE "Reservation" RENAME CONSTRAINT "LimitReservation_jobId_ownerId_fkey"
    TO "Reservation_jobId_ownerId_fkey";
  ALTER TABLE "Reservation" RENAME CONSTRAINT "LimitReservation_pkey" TO "Reservation_pkey";
`;

/** Undoes the migration to limits on an empty database, and that for 0.1.0. */
const BEFORE_LIMITS = `
  ${UNDO_RELEASE_0_1_0}
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
