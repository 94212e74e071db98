import { CREATE_MIGRATIONS_TABLE } from '../../database/apply-migrations.ts';
import { objectsOf } from '../../database/created-objects.ts';
import type { Database, MigrationConnection } from '../../database/database.ts';
import { createSchema, readMigrations } from '../../database/migrations.ts';
import { readApplied, UNFINISHED_RESTORE } from '../../database/missing-migrations.ts';
import { BackupError } from './manifest.ts';
import { dropObjects, quoted } from './schema-objects.ts';
import { readShapes } from './table-rows.ts';

/** Tables that a started service fills by itself, before anybody uses it. */
const FILLED_BY_START = ['Process', 'Owner', 'UpstreamModels', 'UpstreamPause', 'RaisedBound'];

/** A process without a heartbeat for this long has ended. */
const HEARTBEAT_SECONDS = 30;

/** What a restore found in the database that it writes to. */
export type TargetState = 'empty' | 'used' | 'unfinished';

/**
 * @returns `unfinished` if a restore of it was interrupted.
 * @throws BackupError if a service runs on it, or its schema is unknown.
 */
export async function inspectTarget(
  database: Database,
  session: MigrationConnection,
): Promise<TargetState> {
  await createSchema(database, database.names.schema);
  const migrations = await readMigrations();
  const applied = await readApplied(database);
  if (applied.some(({ name }) => name === UNFINISHED_RESTORE)) return 'unfinished';
  const known = new Set(migrations.map(({ name }) => name));
  const foreign = applied.find(({ name }) => !known.has(name));
  if (foreign !== undefined) {
    throw new BackupError(
      `The database to write to has migration ${foreign.name}, which this release does not know: use another database, or the newer release.`,
    );
  }
  const shapes = await readShapes(session, objectsOf(migrations).tables);
  const tables = shapes.map(({ name }) => name);
  // Without our migrations, tables of these names are another application's.
  if (applied.length === 0) {
    if (tables.length === 0) return 'empty';
    throw new BackupError(
      `The database to write to has the table ${quoted(tables[0] ?? '')} of another application: use another schema with ?schema=.`,
    );
  }
  await assertNoService(session, tables);
  for (const table of tables.filter((name) => !FILLED_BY_START.includes(name))) {
    const rows = await session.run(`SELECT 1 FROM ${quoted(table)} LIMIT 1`);
    if (rows.length > 0) return 'used';
  }
  return 'empty';
}

/** The embedded database has none: this process holds its lock. */
async function assertNoService(
  session: MigrationConnection,
  tables: readonly string[],
): Promise<void> {
  if (!tables.includes('Process')) return;
  const [running] = await session.run(
    `SELECT host, pid FROM "Process"
     WHERE "heartbeatAt" > now() - interval '${HEARTBEAT_SECONDS} seconds' LIMIT 1`,
  );
  if (running === undefined) return;
  throw new BackupError(
    `A service runs on the database to write to (process ${running['pid']} on ${running['host']}): stop it. If it was killed, wait ${HEARTBEAT_SECONDS} seconds.`,
  );
}

/**
 * From now on no service starts on the database, until `endRestore`. Removes what it has, but not what
 * other applications have in it. Can be called again after an interruption.
 */
export async function beginRestore(session: MigrationConnection): Promise<void> {
  await session.run(CREATE_MIGRATIONS_TABLE);
  await session.run(
    `INSERT INTO _prisma_migrations (id, checksum, migration_name)
     VALUES ('${UNFINISHED_RESTORE}', '', '${UNFINISHED_RESTORE}') ON CONFLICT DO NOTHING`,
  );
  await dropObjects(session, objectsOf(await readMigrations()));
  await session.run(
    `DELETE FROM _prisma_migrations WHERE migration_name <> '${UNFINISHED_RESTORE}'`,
  );
}
