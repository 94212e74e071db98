import { applyMigrations, type Migration } from '../../database/apply-migrations.ts';
import type { MigrationConnection } from '../../database/database.ts';
import type { Log } from '../../log.ts';
import type { Progress } from '../progress.ts';
import type { Contents } from './contents.ts';
import { BackupError } from './manifest.ts';
import { quoted } from './schema-objects.ts';
import { countRows, insertRows } from './table-rows.ts';

/** The embedded database keeps its whole log until a checkpoint. */
const CHECKPOINT_CHARACTERS = 64 * 1024 * 1024;

/**
 * Creates the tables as they were, inserts all rows, then applies the migrations that are newer than
 * the contents. In many transactions: the caller marks the database as unfinished.
 */
export async function loadTables(options: {
  session: MigrationConnection;
  /** Of this release. */
  migrations: readonly Migration[];
  contents: Contents;
  isEmbedded: boolean;
  progress: Progress;
  log: Log;
  signal: AbortSignal;
}): Promise<void> {
  const { session, migrations, contents, isEmbedded, progress, log, signal } = options;
  const before = new Set(contents.migrations.map(({ name }) => name));
  await apply(
    session,
    migrations.filter(({ name }) => before.has(name)),
    log,
  );

  const constraints = await dropForeignKeys(session);
  const total = contents.tables.reduce((sum, { rows }) => sum + rows, 0);
  let [done, characters] = [0, 0];
  for (const table of contents.tables) {
    for await (const lines of contents.rows(table)) {
      signal.throwIfAborted();
      await insertRows(session, table, lines);
      done += lines.length;
      progress('rows', done, total);
      characters += lines.reduce((sum, line) => sum + line.length, 0);
      if (!isEmbedded || characters < CHECKPOINT_CHARACTERS) continue;
      characters = 0;
      await session.run('CHECKPOINT');
    }
  }
  for (const { table, name, definition } of constraints) {
    signal.throwIfAborted();
    await session.run(`ALTER TABLE ${table} ADD CONSTRAINT ${quoted(name)} ${definition}`);
  }
  for (const table of contents.tables) {
    const rows = await countRows(session, table.name);
    if (rows !== table.rows) {
      throw new BackupError(`${table.name} has ${rows} rows instead of ${table.rows}.`);
    }
    await session.run(`ANALYZE ${quoted(table.name)}`);
  }
  await apply(session, migrations, log);
}

async function apply(
  session: MigrationConnection,
  migrations: readonly Migration[],
  log: Log,
): Promise<void> {
  if ((await applyMigrations(session, migrations, { log })) !== null) return;
  throw new BackupError('Another process is migrating the database: try again when it has ended.');
}

/** So that rows can be inserted in any order, and are checked at once. Returns them. */
async function dropForeignKeys(session: MigrationConnection) {
  const rows = await session.run(`
    SELECT conrelid::regclass::text AS table, conname::text AS name,
      pg_get_constraintdef(oid) AS definition
    FROM pg_constraint WHERE contype = 'f' AND connamespace = current_schema()::regnamespace
      AND conrelid IN (
        SELECT oid FROM pg_class WHERE relnamespace = current_schema()::regnamespace
      )
    ORDER BY conname`);
  const constraints = rows.map(({ table, name, definition }) => ({
    table: String(table),
    name: String(name),
    definition: String(definition),
  }));
  for (const { table, name } of constraints) {
    await session.run(`ALTER TABLE ${table} DROP CONSTRAINT ${quoted(name)}`);
  }
  return constraints;
}
