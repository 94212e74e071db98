import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { StartError } from '../errors.ts';
import type { Log } from '../log.ts';
import { logProgress } from '../telemetry/progress.ts';
import { applyMigrations, type Migration } from './apply-migrations.ts';
import type { Database } from './database.ts';
import { findMissing } from './missing-migrations.ts';
import { sqlStateOf } from './sql-state.ts';
import { isUnreachable } from './unreachable.ts';

const MIGRATIONS_DIR = join(import.meta.dirname, '../../prisma/migrations');

/** How long a process waits for another one's migration. */
const WAIT_FOR_OTHERS_MS = 120_000;

/** All migrations of this release, in their order. */
export async function readMigrations(): Promise<readonly Migration[]> {
  const entries = await readdir(MIGRATIONS_DIR, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => {
      const sql = await readFile(join(MIGRATIONS_DIR, name, 'migration.sql'), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

/**
 * Brings the database to this release, and records it as Prisma's own engine does, so that `prisma
 * migrate deploy` finds the table it expects. The engine itself would take 400 MB and two seconds
 * of a core. Several processes may call it at once: one migrates, the others wait. A database that a
 * newer release has migrated is left as it is, if this release may run on it.
 * @throws StartError when a migration fails, or the database is older than 0.1.0, too new for this
 *   release or another application's: nothing is changed then.
 */
export async function migrate({ database, log }: { database: Database; log: Log }): Promise<void> {
  const migrations = await readMigrations();
  const deadlineMs = performance.now() + WAIT_FOR_OTHERS_MS;
  await createSchema(database, database.names.schema);
  for (;;) {
    const missing = await findMissing(database, migrations, log);
    if (missing?.length === 0) return;
    const applied = missing && (await applyAlone(database, migrations, log));
    if (applied !== null) return log.info({ applied }, 'migrated the database');
    if (performance.now() > deadlineMs) throw stillLocked();
    log.info('waiting for another process to migrate the database');
    await delay(250);
  }
}

/**
 * Names of the migrations that the next start would apply. Changes nothing.
 * @throws StartError if that start would fail, as `migrate` does, or another process is migrating.
 */
export async function findMissingMigrations(database: Database): Promise<readonly string[]> {
  const missing = await findMissing(database, await readMigrations(), null);
  if (missing === null) throw migratesNow();
  return missing;
}

/** Null if another process is migrating. */
async function applyAlone(database: Database, migrations: readonly Migration[], log: Log) {
  using _progress = logProgress(log, 'migrating the database');
  try {
    await using connection = await database.openForMigration();
    return await applyMigrations(connection, migrations, { log });
  } catch (error) {
    throw explainFailure(error);
  }
}

/**
 * Creates the schema if it is missing. An existing schema is left alone, as the role may lack the
 * privilege. One process at a time, because `IF NOT EXISTS` fails in a race.
 */
export async function createSchema({ prisma }: Database, name: string): Promise<void> {
  await prisma.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`schema ${name}`}, 0))`;
    const found = await tx.$queryRaw<unknown[]>`
      SELECT nspname::text FROM pg_namespace WHERE nspname = ${name}`;
    if (found.length === 0) await tx.$executeRawUnsafe(`CREATE SCHEMA "${name}"`);
  });
}

/** Failures that may be over at the next start, such as a server that shuts down or a full disk. */
const PASSING = /No space left|terminating connection|Connection terminated|not reach|ECONN/;

const LOCK_NOT_AVAILABLE = '55P03';

function explainFailure(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof StartError) return error;
  if (sqlStateOf(error) === LOCK_NOT_AVAILABLE) {
    return new StartError(
      'another session locks a table that a migration changes: end its transaction, or start again later.',
      { isTemporary: true, cause: error },
    );
  }
  return new StartError(
    `a database migration failed (${error.message.trim()}): fix the cause and start again, or restore a backup.`,
    { isTemporary: PASSING.test(error.message) || isUnreachable(error), cause: error },
  );
}

const migratesNow = () =>
  new StartError('another process is migrating the database: wait until it finishes.', {
    isTemporary: true,
  });

const stillLocked = () =>
  new StartError(
    'another process has been migrating the database of DATABASE_URL for two minutes: wait until it finishes, then start again.',
    { isTemporary: true },
  );
