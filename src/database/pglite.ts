import { randomUUID } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { cp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { fromPglite } from 'pg-boss';
import { makeDirectory, syncDirectory, syncTree } from '../config/data-dir/durable-files.ts';
import { ConfigError } from '../errors.ts';
import type { Log } from '../log.ts';
import { makeCheckpoints } from './checkpoints.ts';
import { lockDataDir } from './data-dir-lock.ts';
import type { Database } from './database.ts';
import { DurableFs } from './durable-fs.ts';
import { endWhenAborted } from './end-when-aborted.ts';
import { databaseNames } from './names.ts';
import { writeNewDatabase } from './new-database.ts';
import { createPgliteAdapter } from './pglite-adapter.ts';
import { createPrisma } from './prisma.ts';
import { isOnDisk, markOnDisk } from './synced-mark.ts';
import { vacuumTables } from './vacuum.ts';
import { shareThread } from './yield-between-statements.ts';

/**
 * PGlite's own parameters without -F, which turns fsync off. The default sync method, fdatasync,
 * does nothing in WebAssembly.
 */
const START_PARAMS = [
  ...PGlite.defaultStartParams.filter((param) => param !== '-F'),
  '-c',
  'wal_sync_method=fsync',
];

/**
 * Opens Postgres, compiled to WebAssembly, in this process and directory. Commits survive a kill
 * and a power cut.
 * @param onAborted Called when Postgres aborted because it could not write its log: every statement
 *   fails from then on, until the next start.
 * @throws ConfigError if another process holds the directory.
 */
export async function openPglite(options: {
  dir: string;
  log: Log;
  onAborted?: (() => void) | undefined;
}): Promise<Database> {
  const { dir, log, onAborted = () => {} } = options;
  await makeDirectory(dir);
  const lock = lockDataDir(dir);
  let isAborted = false;
  const onAbort = () => {
    if (isAborted) return;
    isAborted = true;
    onAborted();
  };
  try {
    const pglite = await startPglite(dir, onAbort);
    endWhenAborted(pglite, () => isAborted);
    const checkpoints = makeCheckpoints({ pglite, log });
    const vacuum = vacuumTables({ pglite, log });
    const end = async () => {
      checkpoints.stop();
      vacuum.stop();
      if (!isAborted) {
        await pglite.close();
        try {
          markOnDisk(dir);
        } catch (error) {
          log.warn(
            { err: error },
            'could not record that the embedded database is synced; the next start syncs it again',
          );
        }
      }
      lock.release();
    };
    return wrapPglite({ pglite: shareThread(pglite), dataDir: join(dir, 'postgres'), log, end });
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function startPglite(dir: string, onAbort: () => void): Promise<PGlite> {
  const dataDir = join(dir, 'postgres');
  if (!existsSync(join(dataDir, 'PG_VERSION'))) await initialize(dir, dataDir);
  else if (!existsSync(join(dataDir, 'global', 'pg_control'))) {
    throw new ConfigError([
      `${dataDir} contains an incomplete database (global/pg_control is missing): restore a backup, or move the directory away to start with an empty database.`,
    ]);
  } else if (!isOnDisk(dir)) syncTree(dataDir);
  await syncDirectory(dir);
  return PGlite.create({ fs: new DurableFs(dataDir, onAbort), startParams: START_PARAMS });
}

/** Atomic: the new database gets its name only once it is complete and synced. */
async function initialize(dir: string, dataDir: string): Promise<void> {
  const fresh = join(dir, 'postgres.new');
  await rm(fresh, { recursive: true, force: true });
  await writeNewDatabase(fresh);
  syncTree(fresh);
  await rename(fresh, dataDir).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    throw new ConfigError([
      `${dataDir} is not empty but is not a database (PG_VERSION is missing): move the directory away, or restore it.`,
    ]);
  });
}

type Row = Record<string, unknown>;

function wrapPglite(options: {
  pglite: PGlite;
  /** Of Postgres itself. */
  dataDir: string;
  log: Log;
  end: () => Promise<void>;
}): Database {
  const { pglite, dataDir, log, end } = options;
  const prisma = createPrisma(createPgliteAdapter(pglite), log);
  let closing: Promise<void> | undefined;
  return {
    kind: 'pglite',
    names: databaseNames('public'),
    prisma,
    laggingPrisma: prisma,
    sessionId: randomUUID(),
    boss: { db: fromPglite(pglite), backend: 'pglite' },
    async listen(channel, onPayload, onListening) {
      const unlisten = await pglite.listen(channel, onPayload);
      onListening();
      return { close: () => unlisten() };
    },
    openForMigration: async () => ({
      run: async (script) => (await pglite.exec(script)).at(-1)?.rows ?? [],
      query: async (statement, values) => (await pglite.query<Row>(statement, [...values])).rows,
      // It knows the types of arrays that there were when it was opened.
      async [Symbol.asyncDispose]() {
        if (!pglite.closed) await pglite.refreshArrayTypes();
      },
    }),
    copyFiles: (dir) =>
      // Between two statements, its files are those of a database that was killed.
      pglite.runExclusive(() =>
        cp(dataDir, dir, { recursive: true, mode: constants.COPYFILE_FICLONE }),
      ),
    discardConnections() {},
    close() {
      closing ??= (async () => {
        await prisma.$disconnect();
        await end();
      })();
      return closing;
    },
  };
}
