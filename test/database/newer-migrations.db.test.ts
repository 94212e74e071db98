import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { applyMigrations, type Migration } from '../../src/database/apply-migrations.ts';
import type { Database } from '../../src/database/database.ts';
import { migrate, readMigrations } from '../../src/database/migrations.ts';
import { createLog } from '../../src/log.ts';
import { createTestDatabase, hasDatabase, type TestDatabase } from '../support/database.ts';
import { spawnService } from '../support/processes.ts';

const log = createLog({ level: 'silent' });

function migration(name: string, sql: string): Migration {
  return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
}

const EXPANDING = migration(
  '29990101000000_expanding',
  'ALTER TABLE "EditJob" ADD COLUMN "future" TEXT;\nCREATE TABLE "Future" (id INT);',
);

/** Removes what releases used whose newest migration is older than `oldest`. */
const contracting = (oldest: string) =>
  migration(
    '29990102000000_contracting',
    `-- Drops what nobody uses.\n-- oldest compatible migration: ${oldest}\nDROP TABLE "Future";`,
  );

describe.runIf(hasDatabase)('a database that a newer release has migrated', () => {
  let testDatabase: TestDatabase;
  let database: Database;
  beforeEach(async () => {
    testDatabase = await createTestDatabase();
    database = await testDatabase.open();
  });
  afterEach(async () => {
    await database.close();
    await testDatabase.drop();
  });

  /** As the newer release does: it has the migrations of this one, too. */
  async function applyNewer(...newer: Migration[]): Promise<void> {
    await using connection = await database.openForMigration();
    const all = [...(await readMigrations()), ...newer];
    const names = newer.map(({ name }) => name);
    expect(await applyMigrations(connection, all, { log })).toEqual(names);
  }

  const newestName = async () => (await readMigrations()).at(-1)?.name ?? '';

  /** What the process of the service writes until it ends. */
  async function start() {
    await database.close();
    const service = spawnService({ ...testDatabase.env, PORT: '0', LOG_LEVEL: 'info' });
    const ready = service.line((line) => line.includes('"msg":"ready"')).catch(() => null);
    const isReady = (await ready) !== null;
    if (isReady) service.child.kill('SIGTERM');
    const status = await service.exited;
    database = await testDatabase.open();
    return { isReady, status, lines: service.lines };
  }

  test('is used as it is, if the newer migrations only add', async () => {
    await applyNewer(EXPANDING);
    const { isReady, status, lines } = await start();
    expect({ isReady, status }).toEqual({ isReady: true, status: 0 });
    expect(lines.join('\n')).toContain('29990101000000_expanding');
  });

  test('is refused in one sentence, with status 78, if they remove what this release uses', async () => {
    await applyNewer(EXPANDING, contracting('29990101000000_expanding'));
    const { isReady, status, lines } = await start();
    expect({ isReady, status }).toEqual({ isReady: false, status: 78 });
    expect(lines).toEqual([
      'Retouch cannot start: the database has migration 29990102000000_contracting, which this release cannot run on: run the newer release, or restore a backup.',
    ]);
  });

  test('is used if they remove only what this release no longer uses', async () => {
    await applyNewer(EXPANDING, contracting(await newestName()));
    await migrate({ database, log });
  });

  test('is refused if nothing says whether they only add, as after Prisma’s own engine', async () => {
    await applyNewer(EXPANDING);
    await database.prisma.$executeRaw`
      UPDATE _prisma_migrations SET logs = NULL WHERE migration_name LIKE '%_expanding'`;
    await expect(migrate({ database, log })).rejects.toThrow('29990101000000_expanding');
  });

  test('is refused if it lacks a migration of this release', async () => {
    await applyNewer(EXPANDING);
    await database.prisma
      .$executeRaw`DELETE FROM _prisma_migrations WHERE migration_name = ${await newestName()}`;
    await expect(migrate({ database, log })).rejects.toThrow('29990101000000_expanding');
  });
});
