import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { StartError } from '../errors.ts';
import type { Log } from '../log.ts';
import { logProgress } from '../telemetry/progress.ts';
import { applyMigrations, type Migration, NOT_UNDONE } from './apply-migrations.ts';
import { isCompatible } from './compatibility.ts';
import { type Database, Prisma } from './database.ts';
import * as enums from './generated/prisma/enums.ts';
import { sqlStateOf } from './sql-state.ts';
import { isUnreachable } from './unreachable.ts';

const MIGRATIONS_DIR = join(import.meta.dirname, '../../prisma/migrations');

/** Every database made before 0.1.0 has this migration. The later ones are in the initial one now. */
const FIRST_BEFORE_RELEASE = '20261122232807_initial';

/**
 * A row of this name in `_prisma_migrations`, without an end, marks a database that a restore is
 * writing: no release starts on it.
 */
export const UNFINISHED_RESTORE = 'unfinished_restore';

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
  while ((await missingIn(database, migrations, log)).length > 0) {
    const applied = await applyAlone(database, migrations, log);
    if (applied !== null) return log.info({ applied }, 'migrated the database');
    if (performance.now() > deadlineMs) throw stillLocked();
    log.info('waiting for another process to migrate the database');
    await delay(250);
  }
}

/**
 * Names of the migrations that the next start would apply. Changes nothing.
 * @throws StartError if that start would fail, as `migrate` does.
 */
export async function findMissingMigrations(database: Database): Promise<readonly string[]> {
  return missingIn(database, await readMigrations(), null);
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

async function missingIn(
  database: Database,
  migrations: readonly Migration[],
  log: Log | null,
): Promise<readonly string[]> {
  const known = new Map(migrations.map(({ name, checksum }) => [name, checksum]));
  const rows = await readApplied(database);
  if (rows.some(({ name }) => name === UNFINISHED_RESTORE)) {
    throw lasting(
      'a restore of this database did not finish: run `retouch restore` or `retouch copy` again.',
    );
  }
  if (rows.some(({ name }) => name === FIRST_BEFORE_RELEASE)) throw tooOld(database);
  await refuseForeign(database, rows, known);
  const unfinished = rows.find(({ finished }) => !finished);
  if (unfinished !== undefined) {
    throw lasting(
      `migration ${unfinished.name} of this database was begun and did not finish: restore a backup.`,
    );
  }
  const unknown = rows.filter(({ name }) => !known.has(name));
  const applied = rows.filter(({ name }) => known.has(name));
  const names = new Set(applied.map(({ name }) => name));
  const missing = migrations.map(({ name }) => name).filter((name) => !names.has(name));
  const newest = migrations.at(-1)?.name ?? '';
  for (const { name, note } of unknown) {
    if (missing.length > 0 || !isCompatible(note, newest)) throw tooNew(name);
  }
  const changed = applied.find(({ name, checksum }) => known.get(name) !== checksum);
  if (changed !== undefined) {
    throw lasting(
      `migration ${changed.name} was changed after it was applied to this database: restore the file of this release.`,
    );
  }
  if (unknown.length > 0) {
    log?.info(
      { migrations: unknown.map(({ name }) => name) },
      'a newer release has migrated the database, which this one can use',
    );
  }
  return missing;
}

const tooNew = (name: string) =>
  lasting(
    `the database has migration ${name}, which this release cannot run on: run the newer release, or restore a backup.`,
  );

export interface AppliedMigration {
  readonly name: string;
  readonly checksum: string;
  readonly finished: boolean;
  /** As `compatibilityNote` has it; null: Prisma's own engine has applied it. */
  readonly note: string | null;
}

/** In their order. Empty if there is no migrations table, or none by Prisma. */
export async function readApplied({ prisma }: Database): Promise<readonly AppliedMigration[]> {
  const [{ exists } = { exists: false }] = await prisma.$queryRaw<{ exists: boolean }[]>`
    SELECT to_regclass('_prisma_migrations') IS NOT NULL AS "exists"`;
  if (!exists) return [];
  return prisma.$queryRaw<AppliedMigration[]>`
    SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS finished, logs AS note
    FROM _prisma_migrations WHERE ${Prisma.raw(NOT_UNDONE)} ORDER BY migration_name`;
}

/**
 * @throws StartError if the schema contains foreign migrations, or foreign tables with our
 *   names.
 */
async function refuseForeign(
  { prisma, names }: Database,
  rows: readonly AppliedMigration[],
  known: ReadonlyMap<string, string>,
): Promise<void> {
  if (rows.some(({ name }) => known.has(name))) return;
  const foreign = (what: string) =>
    lasting(
      `the schema "${names.schema}" of DATABASE_URL contains ${what} of another application: use another schema with ?schema=.`,
    );
  const [first] = rows;
  if (first !== undefined) {
    throw foreign(`_prisma_migrations with the migrations (such as ${first.name})`);
  }
  // Each table has a type of the same name.
  const ours = [...Object.values(Prisma.ModelName), ...Object.keys(enums)];
  const [type] = await prisma.$queryRaw<{ name: string }[]>`
    SELECT typname::text AS name FROM pg_type
    WHERE typnamespace = (SELECT oid FROM pg_namespace WHERE nspname = ${names.schema})
      AND typname = ANY (${ours}::text[]) ORDER BY 1 LIMIT 1`;
  if (type !== undefined) throw foreign(`the table or type "${type.name}"`);
}

function tooOld({ kind }: Database): StartError {
  const where =
    kind === 'pglite'
      ? 'in DATA_DIR was made before 0.1.0: start with an empty DATA_DIR.'
      : 'of DATABASE_URL was made before 0.1.0: start with an empty database.';
  return lasting(`the database ${where}`);
}

const lasting = (message: string, cause?: unknown) =>
  new StartError(message, { isTemporary: false, cause });

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

const stillLocked = () =>
  new StartError(
    'another process has been migrating the database of DATABASE_URL for two minutes: wait until it finishes, then start again.',
    { isTemporary: true },
  );
