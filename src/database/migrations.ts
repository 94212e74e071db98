import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import type { MigrationList } from '@prisma/schema-engine-wasm';
import { StartError } from '../errors.ts';
import type { Log } from '../log.ts';
import { type Database, Prisma } from './database.ts';
import * as enums from './generated/prisma/enums.ts';
import { isUnreachable } from './unreachable.ts';

const MIGRATIONS_DIR = join(import.meta.dirname, '../../prisma/migrations');

/** Every database made before 0.1.0 has this migration. The later ones are in the initial one now. */
const FIRST_BEFORE_RELEASE = '20261122232807_initial';

/** How long a process waits for another one's migration. */
const WAIT_FOR_OTHERS_MS = 120_000;

/** All migrations of this release, as Prisma's schema engine expects them. */
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
 * @throws StartError when a migration fails, or the database is older than 0.1.0, newer than this
 *   release or another application's: nothing is changed then.
 */
export async function migrate({ database, log }: { database: Database; log: Log }): Promise<void> {
  const migrations = await readMigrations();
  const deadlineMs = performance.now() + WAIT_FOR_OTHERS_MS;
  await createSchema(database, database.names.schema);
  while (!(await isUpToDate(database, migrations))) {
    try {
      const applied = await applyMigrations(database, migrations);
      log.info({ applied }, 'migrated the database');
      return;
    } catch (error) {
      if (!isLockTimeout(error)) throw explainFailure(error);
      if (performance.now() > deadlineMs) throw stillLocked(error);
      log.info('waiting for another process to migrate the database');
      await delay(250);
    }
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

async function isUpToDate(database: Database, migrations: MigrationList): Promise<boolean> {
  const expected = migrations.migrationDirectories.map(({ path, migrationFile }) => ({
    name: path,
    checksum: createHash('sha256').update(migrationFile.content.value).digest('hex'),
  }));
  const known = new Map(expected.map(({ name, checksum }) => [name, checksum]));
  const rows = await readApplied(database);
  if (rows.some(({ name }) => name === FIRST_BEFORE_RELEASE)) throw tooOld(database);
  await refuseForeign(database, rows, known);
  const applied = rows.filter(({ finished }) => finished);
  for (const { name, checksum } of applied) {
    if (!known.has(name)) {
      throw lasting(
        `the database has migration ${name}, which this release does not know: run the newer release, or restore a backup.`,
      );
    }
    if (known.get(name) !== checksum) {
      throw lasting(
        `migration ${name} was changed after it was applied to this database: restore the file of this release.`,
      );
    }
  }
  return applied.length === expected.length;
}

interface AppliedMigration {
  readonly name: string;
  readonly checksum: string;
  readonly finished: boolean;
}

/** Empty if there is no migrations table, or none by Prisma. */
async function readApplied({ prisma }: Database): Promise<readonly AppliedMigration[]> {
  const [{ exists } = { exists: false }] = await prisma.$queryRaw<{ exists: boolean }[]>`
    SELECT to_regclass('_prisma_migrations') IS NOT NULL AS "exists"`;
  if (!exists) return [];
  return prisma.$queryRaw<AppliedMigration[]>`
    SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS finished
    FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY migration_name`;
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

/** The engine's errors contain its own stack as text, from `   0: …` on. */
function explainFailure(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof StartError) return error;
  const [reason = ''] = error.message.split(/\n +0: /);
  return new StartError(
    `a database migration failed (${reason.trim().replaceAll(/\s*\n\s*/g, ' ')}): fix the cause and start again, or restore a backup.`,
    { isTemporary: PASSING.test(error.message) || isUnreachable(error), cause: error },
  );
}

const stillLocked = (cause: unknown) =>
  new StartError(
    'another process has been migrating the database of DATABASE_URL for two minutes: wait until it finishes, then start again.',
    { isTemporary: true, cause },
  );

/** Tables of other applications, which the engine must ignore. */
async function readForeignTables({ prisma, names }: Database): Promise<string[]> {
  const rows = await prisma.$queryRaw<{ name: string }[]>`
    SELECT ${names.schema} || '.' || relname AS name FROM pg_class
    WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = ${names.schema})
      AND relkind IN ('r', 'p', 'f') AND relname <> '_prisma_migrations'
      AND relname <> ALL (${Object.values(Prisma.ModelName)}::text[])`;
  return rows.map(({ name }) => name);
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
      const externalTables = await readForeignTables(database);
      const filters = { externalTables, externalEnums: [] };
      const { appliedMigrationNames } = await engine.applyMigrations({ migrationsList, filters });
      return appliedMigrationNames;
    } finally {
      engine.free();
    }
  } finally {
    await close();
  }
}

/** P1002: the advisory lock was not acquired within the engine's 10 s. */
function isLockTimeout(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'P1002';
}
