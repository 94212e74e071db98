import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../log.ts';
import { compatibilityNote } from './compatibility.ts';
import type { MigrationConnection } from './database.ts';
import { sqlStateOf } from './sql-state.ts';

/** One of prisma/migrations. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the file, in hexadecimal. */
  readonly checksum: string;
}

/** The advisory lock of Prisma's own engine, so that it and older releases wait for us as well. */
export const MIGRATION_LOCK = 72_707_369;

/**
 * How long a statement may wait for the lock of a table. Whoever comes after it waits as well, even
 * to read. Shorter than the second after which Postgres looks for deadlocks, and would make a request
 * fail that waits for a table that the migration has locked.
 */
const LOCK_TIMEOUT_MS = 900;

/** Waits before each further try, in which those who queued behind the last one have their turn. */
const BACKOFF_MS = [500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000];

/** SQLSTATEs lock_not_available and deadlock_detected. */
const LOCKED: readonly (string | null)[] = ['55P03', '40P01'];

/** The oldest migration that is applied in one transaction with this one and those between. */
const TOGETHER = /^-- in one transaction since: (\S+)$/m;

/** The only statement of a migration that cannot be in a transaction. */
const INDEX = /^CREATE (?:UNIQUE )?INDEX CONCURRENTLY "([^"]+)" ON [^;]+;?$/;

/** As Prisma's engine creates it. */
export const CREATE_MIGRATIONS_TABLE = `
  CREATE TABLE IF NOT EXISTS _prisma_migrations (
    id                  VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum            VARCHAR(64) NOT NULL,
    finished_at         TIMESTAMPTZ,
    migration_name      VARCHAR(255) NOT NULL,
    logs                TEXT,
    rolled_back_at      TIMESTAMPTZ,
    started_at          TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count INTEGER NOT NULL DEFAULT 0
  )`;

/**
 * Prisma marks only a migration that failed as rolled back. One that finished was marked by an
 * operator, so that 0.1.0 starts (docs/upgrade.md): it is still applied.
 */
export const NOT_UNDONE = '(rolled_back_at IS NULL OR finished_at IS NOT NULL)';

const APPLIED = `
  SELECT migration_name AS name FROM _prisma_migrations
  WHERE finished_at IS NOT NULL AND ${NOT_UNDONE}`;

export interface ApplyOptions {
  readonly log: Log;
  /** @default 0.9 s */
  readonly lockTimeoutMs?: number;
  /** @default 0.5 to 8 s, seven times */
  readonly backoffMs?: readonly number[];
}

/**
 * Applies the migrations that are missing, in order, and returns their names; null if another
 * process is at it. Each is one transaction with its row: one that fails leaves nothing behind. A line
 * `-- in one transaction since: <name>` in a file extends that to the migrations since that one, so
 * that nobody sees what is between them. Only an index that is built concurrently is not in a
 * transaction; it is completed at the next start.
 * @throws the error of Postgres, with SQLSTATE 55P03 if a table stayed locked at every try.
 */
export async function applyMigrations(
  connection: MigrationConnection,
  migrations: readonly Migration[],
  options: ApplyOptions,
): Promise<readonly string[] | null> {
  const [lock] = await connection.run(`SELECT pg_try_advisory_lock(${MIGRATION_LOCK}) AS taken`);
  if (lock?.['taken'] !== true) return null;
  try {
    await connection.run(CREATE_MIGRATIONS_TABLE);
    const applied = new Set((await connection.run(APPLIED)).map(({ name }) => name));
    const missing = migrations.filter(({ name }) => !applied.has(name));
    for (const group of inTransactions(missing)) await apply(connection, group, options);
    return missing.map(({ name }) => name);
  } finally {
    // The session of the embedded database goes on.
    await connection.run(`SELECT pg_advisory_unlock(${MIGRATION_LOCK})`).catch(() => {});
  }
}

/** The name of the index if a migration is nothing but the concurrent build of one; else null. */
export function concurrentIndex(sql: string): string | null {
  return INDEX.exec(sql.replaceAll(/^--.*$/gm, '').trim())?.[1] ?? null;
}

function inTransactions(migrations: readonly Migration[]): readonly (readonly Migration[])[] {
  const groups: Migration[][] = [];
  for (const migration of migrations) {
    const since = TOGETHER.exec(migration.sql)?.[1] ?? migration.name;
    const first = groups.findIndex(([oldest]) => oldest !== undefined && oldest.name >= since);
    const joined = first === -1 ? [] : groups.splice(first).flat();
    groups.push([...joined, migration]);
  }
  return groups;
}

async function apply(
  connection: MigrationConnection,
  group: readonly Migration[],
  { log, lockTimeoutMs = LOCK_TIMEOUT_MS, backoffMs = BACKOFF_MS }: ApplyOptions,
): Promise<void> {
  const [first] = group;
  const index = first === undefined || group.length > 1 ? null : concurrentIndex(first.sql);
  if (first !== undefined && index !== null) return buildIndex(connection, first, index);
  for (const waitMs of [...backoffMs, null]) {
    try {
      return await applyInTransaction(connection, group, lockTimeoutMs);
    } catch (error) {
      if (waitMs === null || !LOCKED.includes(sqlStateOf(error))) throw error;
      const migrations = group.map(({ name }) => name);
      log.warn({ migrations, waitMs }, 'a table is locked: trying again later');
      await delay(waitMs);
    }
  }
}

async function applyInTransaction(
  connection: MigrationConnection,
  group: readonly Migration[],
  lockTimeoutMs: number,
): Promise<void> {
  const script = `
    BEGIN;
    SET LOCAL lock_timeout TO ${lockTimeoutMs};
    ${group.map((migration) => `${migration.sql}\n;\n${recordOf(migration)};`).join('\n')}
    COMMIT`;
  try {
    await connection.run(script);
  } catch (error) {
    await connection.run('ROLLBACK').catch(() => {});
    throw error;
  }
}

/**
 * Waits for transactions that are older, however long they take: nobody waits behind it. A build
 * that was interrupted has left an invalid index; one that ended just before it was recorded, a
 * valid one.
 */
async function buildIndex(
  connection: MigrationConnection,
  migration: Migration,
  name: string,
): Promise<void> {
  const [found] = await connection.run(
    `SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = to_regclass('"${name}"')`,
  );
  if (found?.['valid'] === false) await connection.run(`DROP INDEX CONCURRENTLY "${name}"`);
  if (found?.['valid'] !== true) await connection.run(migration.sql);
  await connection.run(recordOf(migration));
}

function recordOf({ name, sql, checksum }: Migration): string {
  const values = [randomUUID(), checksum, name, compatibilityNote(sql)];
  const literals = values.map((value) => `'${value.replaceAll("'", "''")}'`).join(', ');
  return `
    INSERT INTO _prisma_migrations
      (id, checksum, migration_name, logs, started_at, finished_at, applied_steps_count)
    VALUES (${literals}, now(), clock_timestamp(), 1)`;
}
