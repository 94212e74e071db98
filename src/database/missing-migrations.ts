import { StartError } from '../errors.ts';
import type { Log } from '../log.ts';
import { MIGRATION_LOCK, type Migration, NOT_UNDONE } from './apply-migrations.ts';
import { isCompatible } from './compatibility.ts';
import { objectsOf } from './created-objects.ts';
import { type Database, Prisma } from './database.ts';

/** Every database made before 0.1.0 has this migration. The later ones are in the initial one now. */
const FIRST_BEFORE_RELEASE = '20261122232807_initial';

/**
 * A row of this name in `_prisma_migrations`, without an end, marks a database that a restore is
 * writing: no release starts on it.
 */
export const UNFINISHED_RESTORE = 'unfinished_restore';

/**
 * Names of the migrations that the database lacks, in their order; null while another process
 * migrates it, or if one just has: look again then.
 * @throws StartError if no migration may be applied, as `migrate` does.
 */
export async function findMissing(
  database: Database,
  migrations: readonly Migration[],
  log: Log | null,
): Promise<readonly string[] | null> {
  const known = new Map(migrations.map(({ name, checksum }) => [name, checksum]));
  const rows = await readApplied(database);
  if (rows.some(({ name }) => name === UNFINISHED_RESTORE)) {
    throw lasting(
      'a restore of this database did not finish: run `retouch restore` or `retouch copy` again.',
    );
  }
  if (rows.some(({ name }) => name === FIRST_BEFORE_RELEASE)) throw tooOld(database);
  if (!rows.some(({ name }) => known.has(name))) {
    const foreign = await findForeign(database, rows, migrations);
    if (foreign !== null) {
      // Another process may have created the tables since then, with their rows in one transaction.
      if ((await readApplied(database)).length > rows.length) return null;
      throw isForeign(database, foreign);
    }
  }
  const unfinished = rows.find(({ finished }) => !finished);
  if (unfinished !== undefined) {
    if (await isBeingMigrated(database, unfinished)) return null;
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
  readonly id: string;
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
    SELECT id, migration_name AS name, checksum, finished_at IS NOT NULL AS finished, logs AS note
    FROM _prisma_migrations WHERE ${Prisma.raw(NOT_UNDONE)} ORDER BY migration_name`;
}

/**
 * Whether the process that began a migration still runs it, or has finished it since. Prisma's own
 * engine writes the row first; it holds the lock from before that until it finishes.
 */
async function isBeingMigrated(database: Database, { id }: AppliedMigration): Promise<boolean> {
  const held = await database.prisma.$queryRaw<unknown[]>`
    SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = 0 AND objid = ${MIGRATION_LOCK}
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
  if (held.length > 0) return true;
  const rows = await readApplied(database);
  return !rows.some((row) => row.id === id && !row.finished);
}

/**
 * What the schema contains of another application: its migrations, or tables with the names of ours.
 * Null if nothing.
 */
async function findForeign(
  { prisma, names }: Database,
  [first]: readonly AppliedMigration[],
  migrations: readonly Migration[],
): Promise<string | null> {
  if (first !== undefined) return `_prisma_migrations with the migrations (such as ${first.name})`;
  const { tables, views, types } = objectsOf(migrations);
  // Each table and view has a type of the same name.
  const [type] = await prisma.$queryRaw<{ name: string }[]>`
    SELECT typname::text AS name FROM pg_type
    WHERE typnamespace = (SELECT oid FROM pg_namespace WHERE nspname = ${names.schema})
      AND typname = ANY (${[...tables, ...views, ...types]}::text[]) ORDER BY 1 LIMIT 1`;
  return type === undefined ? null : `the table or type "${type.name}"`;
}

const isForeign = ({ names }: Database, what: string) =>
  lasting(
    `the schema "${names.schema}" of DATABASE_URL contains ${what} of another application: use another schema with ?schema=.`,
  );

function tooOld({ kind }: Database): StartError {
  const where =
    kind === 'pglite'
      ? 'in DATA_DIR was made before 0.1.0: start with an empty DATA_DIR.'
      : 'of DATABASE_URL was made before 0.1.0: start with an empty database.';
  return lasting(`the database ${where}`);
}

const lasting = (message: string) => new StartError(message, { isTemporary: false });
