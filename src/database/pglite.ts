import { existsSync } from 'node:fs';
import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { fromPglite } from 'pg-boss';
import { PrismaPGlite } from 'pglite-prisma-adapter';
import type { Log } from '../log.ts';
import { lockDataDir } from './data-dir-lock.ts';
import type { Database } from './database.ts';
import { databaseNames } from './names.ts';
import { createPrisma } from './prisma.ts';
import { shareThread } from './share-thread.ts';

/** Lowers idle memory by some 130 MB; the default of 128 MB is sized for a server. */
const CONFIG = "shared_buffers = '16MB'\n";

/**
 * Postgres compiled to WebAssembly, in this process and this directory. It makes no fsync calls:
 * a kill loses nothing, a power cut may.
 * @throws ConfigError when another process holds the directory.
 */
export async function openPglite({ dir, log }: { dir: string; log: Log }): Promise<Database> {
  const lock = lockDataDir(dir);
  try {
    return wrapPglite(await startPglite(join(dir, 'postgres')), log, () => lock.release());
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function startPglite(dataDir: string): Promise<PGlite> {
  const isNew = !existsSync(join(dataDir, 'PG_VERSION'));
  if (isNew) {
    await mkdir(dataDir, { recursive: true });
    const initialized = await PGlite.create({ dataDir });
    await initialized.close();
    // As a start parameter the same setting hangs PGlite; in the file it is read at the next start.
    await appendFile(join(dataDir, 'postgresql.conf'), CONFIG);
  }
  return shareThread(await PGlite.create({ dataDir }));
}

function wrapPglite(pglite: PGlite, log: Log, onClosed: () => void): Database {
  const factory = new PrismaPGlite(pglite);
  const prisma = createPrisma(factory, log);
  let closing: Promise<void> | undefined;
  return {
    kind: 'pglite',
    names: databaseNames('public'),
    prisma,
    boss: { db: fromPglite(pglite), backend: 'pglite' },
    async listen(channel, onPayload, onListening) {
      const unlisten = await pglite.listen(channel, onPayload);
      onListening();
      return { close: () => unlisten() };
    },
    openForMigration: () => ({ factory, close: async () => {} }),
    discardConnections() {},
    close() {
      closing ??= (async () => {
        await prisma.$disconnect();
        await pglite.close();
        onClosed();
      })();
      return closing;
    },
  };
}
