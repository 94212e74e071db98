import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { applyMigrations, type Migration } from '../../src/database/apply-migrations.ts';
import type { Database } from '../../src/database/database.ts';
import { readMigrations } from '../../src/database/migrations.ts';
import { sqlStateOf } from '../../src/database/sql-state.ts';
import { createLog } from '../../src/log.ts';
import { createTestDatabase, hasDatabase, type TestDatabase } from '../support/database.ts';

function migration(name: string, sql: string): Migration {
  return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
}

const COLUMN = migration(
  '29990101000000_column',
  'ALTER TABLE "EditJob" ADD COLUMN "future" TEXT;',
);
const INDEX = migration(
  '29990102000000_index',
  '-- Why.\nCREATE UNIQUE INDEX CONCURRENTLY "EditJob_future_key" ON "EditJob"("future");\n',
);

describe.runIf(hasDatabase)('a migration of tables that are in use', () => {
  let testDatabase: TestDatabase;
  let database: Database;
  let lines: string[];
  beforeEach(async () => {
    testDatabase = await createTestDatabase();
    database = await testDatabase.open();
    lines = [];
  });
  afterEach(async () => {
    await database.close();
    await testDatabase.drop();
  });

  async function apply(
    migrations: readonly Migration[],
    onLine: () => void = () => {},
    waits: object = { lockTimeoutMs: 50, backoffMs: [1, 1, 1] },
  ) {
    await using connection = await database.openForMigration();
    const destination = {
      write(line: string) {
        lines.push(line);
        onLine();
      },
    };
    const log = createLog({ level: 'info', destination });
    const all = [...(await readMigrations()), ...migrations];
    return await applyMigrations(connection, all, { log, ...waits });
  }

  const recorded = () =>
    database.prisma.$queryRaw`
      SELECT migration_name AS name FROM _prisma_migrations WHERE migration_name > '2999' ORDER BY 1`;

  const indexes = () =>
    database.prisma.$queryRaw`
      SELECT indisvalid AS valid FROM pg_index
      WHERE indexrelid = to_regclass('"EditJob_future_key"')`;

  /** Reads a table in a transaction that stays open until `end`. */
  async function holdTable() {
    const { promise: held, resolve: hold } = Promise.withResolvers<void>();
    const { promise: over, resolve: end } = Promise.withResolvers<void>();
    const transaction = database.prisma.$transaction(async (tx) => {
      await tx.$queryRaw`SELECT count(*) FROM "EditJob"`;
      hold();
      await over;
    });
    await held;
    return { transaction, end };
  }

  test('gives up a lock that it does not get soon, and gets it at a later try', async ({
    skip,
  }) => {
    if (database.kind === 'pglite') skip('one session has no one to wait for');
    const { transaction, end } = await holdTable();
    const applied = await apply([COLUMN], end);
    await transaction;
    expect(applied).toEqual([COLUMN.name]);
    expect(lines.join('')).toContain('a table is locked');
  });

  test('fails without a trace if the table is locked at every try', async ({ skip }) => {
    if (database.kind === 'pglite') skip('one session has no one to wait for');
    const { transaction, end } = await holdTable();
    const error = await apply([COLUMN]).catch((reason: unknown) => reason);
    expect(sqlStateOf(error)).toBe('55P03');
    expect(lines).toHaveLength(3);
    // Nobody waits behind it.
    expect(await database.prisma.editJob.count()).toBe(0);
    end();
    await transaction;
    expect(await recorded()).toEqual([]);
    expect(await apply([COLUMN])).toEqual([COLUMN.name]);
  });

  test('makes no request fail that waits for it while it waits for the request', async ({
    skip,
  }) => {
    if (database.kind === 'pglite') skip('one session has no one to wait for');
    const both = migration(
      '29990103000000_both',
      'ALTER TABLE "EditJob" ADD COLUMN "a" TEXT; ALTER TABLE "Charge" ADD COLUMN "b" TEXT;',
    );
    // Or waits for longer than Postgres does before it looks for deadlocks.
    const hasGivenUp = async () => {
      const [wait] = await database.prisma.$queryRaw<unknown[]>`
        SELECT FROM pg_locks WHERE relation = '"Charge"'::regclass AND NOT granted
          AND clock_timestamp() - waitstart > interval '1.2 s'`;
      return lines.length > 0 || wait !== undefined;
    };
    const applied = Promise.withResolvers<readonly string[] | null>();
    const counted = await database.prisma.$transaction(async (tx) => {
      await tx.$queryRaw`SELECT count(*) FROM "Charge"`;
      apply([both], undefined, {}).then(applied.resolve, applied.reject);
      await expect.poll(hasGivenUp, { timeout: 10_000 }).toBe(true);
      return tx.editJob.count();
    });
    expect(counted).toBe(0);
    expect(await applied.promise).toEqual([both.name]);
  });

  test('is one transaction with the earlier ones that it names', async () => {
    const later = (sql: string) =>
      migration('29990103000000_later', `-- in one transaction since: ${COLUMN.name}\n${sql}`);
    await expect(apply([COLUMN, later('SELECT nothing')])).rejects.toThrow('nothing');
    expect(await recorded()).toEqual([]);
    const right = later('ALTER TABLE "EditJob" DROP COLUMN "future";');
    expect(await apply([COLUMN, right])).toEqual([COLUMN.name, right.name]);
    expect(await recorded()).toEqual([{ name: COLUMN.name }, { name: right.name }]);
  });

  test('builds an index outside of a transaction, and records it', async () => {
    expect(await apply([COLUMN, INDEX])).toEqual([COLUMN.name, INDEX.name]);
    expect(await indexes()).toEqual([{ valid: true }]);
    expect(await recorded()).toEqual([{ name: COLUMN.name }, { name: INDEX.name }]);
    expect(await apply([COLUMN, INDEX])).toEqual([]);
  });

  test('records an index that was complete when its build was interrupted', async () => {
    await apply([COLUMN]);
    await database.prisma.$executeRawUnsafe(
      'CREATE UNIQUE INDEX "EditJob_future_key" ON "EditJob"("future")',
    );
    expect(await apply([COLUMN, INDEX])).toEqual([INDEX.name]);
    expect(await indexes()).toEqual([{ valid: true }]);
  });

  test('builds an index again whose build failed halfway', async () => {
    await apply([COLUMN]);
    const insert = () => database.prisma.$executeRaw`
      INSERT INTO "EditJob" (id, "ownerId", sandbox, model, size, "resolvedSize", n, future)
      VALUES (gen_random_uuid(), 'a', TRUE, 'm', 's', 's', 1, 'same')`;
    await insert();
    await insert();
    await expect(apply([COLUMN, INDEX])).rejects.toThrow();
    expect(await indexes()).toEqual([{ valid: false }]);
    expect(await recorded()).toEqual([{ name: COLUMN.name }]);
    await database.prisma.$executeRaw`DELETE FROM "EditJob"`;
    expect(await apply([COLUMN, INDEX])).toEqual([INDEX.name]);
    expect(await indexes()).toEqual([{ valid: true }]);
  });
});
