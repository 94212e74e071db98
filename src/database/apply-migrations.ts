import { randomUUID } from 'node:crypto';
import type { MigrationConnection } from './database.ts';

/** One of prisma/migrations. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the file, in hexadecimal. */
  readonly checksum: string;
}

/** The advisory lock of Prisma's own engine, so that it and older releases wait for us as well. */
const LOCK = 72_707_369;

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

const APPLIED = `
  SELECT migration_name AS name FROM _prisma_migrations
  WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL`;

/**
 * Applies the migrations that are missing, in order, and returns their names; null if another
 * process is at it. Each is one transaction with its row: one that fails leaves nothing behind.
 */
export async function applyMigrations(
  connection: MigrationConnection,
  migrations: readonly Migration[],
): Promise<readonly string[] | null> {
  const [lock] = await connection.run(`SELECT pg_try_advisory_lock(${LOCK}) AS taken`);
  if (lock?.['taken'] !== true) return null;
  try {
    await connection.run(CREATE_MIGRATIONS_TABLE);
    const applied = new Set((await connection.run(APPLIED)).map(({ name }) => name));
    const missing = migrations.filter(({ name }) => !applied.has(name));
    for (const migration of missing) await apply(connection, migration);
    return missing.map(({ name }) => name);
  } finally {
    // The session of the embedded database goes on.
    await connection.run(`SELECT pg_advisory_unlock(${LOCK})`).catch(() => {});
  }
}

async function apply(
  connection: MigrationConnection,
  { name, sql, checksum }: Migration,
): Promise<void> {
  const id = randomUUID();
  const script = `
    BEGIN;
    INSERT INTO _prisma_migrations (id, checksum, migration_name)
    VALUES ('${id}', '${checksum}', '${name.replaceAll("'", "''")}');
    ${sql}
    ;
    UPDATE _prisma_migrations SET finished_at = clock_timestamp(), applied_steps_count = 1
    WHERE id = '${id}';
    COMMIT`;
  try {
    await connection.run(script);
  } catch (error) {
    await connection.run('ROLLBACK').catch(() => {});
    throw error;
  }
}
