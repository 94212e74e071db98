import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import type { MigrationList } from '@prisma/schema-engine-wasm';
import type { Log } from '../log.ts';
import type { Database } from './database.ts';

const MIGRATIONS_DIR = join(import.meta.dirname, '../../prisma/migrations');

/** How long a process waits for another one's migration before it gives up. */
const WAIT_FOR_OTHERS_MS = 120_000;

/** All migrations of this release, in the form that Prisma's schema engine takes. */
export async function readMigrations(dir = MIGRATIONS_DIR): Promise<MigrationList> {
  const entries = await readdir(dir, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return {
    baseDir: dir,
    lockfile: {
      path: 'migration_lock.toml',
      content: await readFile(join(dir, 'migration_lock.toml'), 'utf8'),
    },
    shadowDbInitScript: '',
    migrationDirectories: await Promise.all(
      names.sort().map(async (path) => ({
        path,
        migrationFile: {
          path: 'migration.sql',
          content: {
            tag: 'ok' as const,
            value: await readFile(join(dir, path, 'migration.sql'), 'utf8'),
          },
        },
      })),
    ),
  };
}

/**
 * Brings the database to this release by Prisma's own engine, so that `prisma migrate deploy` finds
 * the table it expects. Several processes may call it at once: one migrates, the others wait.
 * A database that is up to date is left alone without loading the engine.
 * @throws when a migration fails, or the database is ahead of this release.
 */
export async function migrate({ database, log }: { database: Database; log: Log }): Promise<void> {
  const migrations = await readMigrations();
  const deadlineMs = Date.now() + WAIT_FOR_OTHERS_MS;
  while (!(await isUpToDate(database, migrations))) {
    try {
      const applied = await applyMigrations(database, migrations);
      log.info({ applied }, 'database migrated');
      return;
    } catch (error) {
      if (!isLockTimeout(error) || Date.now() > deadlineMs) throw error;
      log.info('another process is migrating the database, waiting for it');
      await delay(250);
    }
  }
}

async function isUpToDate(database: Database, migrations: MigrationList): Promise<boolean> {
  const [{ exists } = { exists: false }] = await database.prisma.$queryRaw<{ exists: boolean }[]>`
    SELECT to_regclass('_prisma_migrations') IS NOT NULL AS "exists"`;
  if (!exists) return false;
  const rows = await database.prisma.$queryRaw<{ name: string; checksum: string }[]>`
    SELECT migration_name AS name, checksum FROM _prisma_migrations
    WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL ORDER BY migration_name`;
  const expected = migrations.migrationDirectories.map(({ path, migrationFile }) => ({
    name: path,
    checksum: createHash('sha256').update(migrationFile.content.value).digest('hex'),
  }));
  const known = new Map(expected.map(({ name, checksum }) => [name, checksum]));
  for (const { name, checksum } of rows) {
    if (!known.has(name)) {
      throw new Error(
        `The database has migration ${name}, which this release does not know. Run the newer release, or restore a backup.`,
      );
    }
    if (known.get(name) !== checksum) {
      throw new Error(`Migration ${name} was changed after it was applied to this database.`);
    }
  }
  return rows.length === expected.length;
}

async function applyMigrations(database: Database, migrationsList: MigrationList) {
  const { SchemaEngine } = await import('@prisma/schema-engine-wasm');
  const { factory, close } = database.openForMigration();
  try {
    const engine = await SchemaEngine.new(
      { datamodels: undefined },
      () => {},
      bindMigrationAwareSqlAdapterFactory(factory),
    );
    try {
      const filters = { externalTables: [], externalEnums: [] };
      const { appliedMigrationNames } = await engine.applyMigrations({ migrationsList, filters });
      return appliedMigrationNames;
    } finally {
      engine.free();
    }
  } finally {
    await close();
  }
}

/** P1002: the advisory lock was not had within the engine's 10 s. */
function isLockTimeout(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'P1002';
}
