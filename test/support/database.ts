import { randomUUID } from 'node:crypto';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { inject } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { openPglite } from '../../src/database/pglite.ts';
import { openPostgres } from '../../src/database/postgres.ts';
import { markOnDisk } from '../../src/database/synced-mark.ts';
import { createLog } from '../../src/log.ts';

const log = createLog({ level: 'error' });

/** Whether the database of this project's suites can be had on this machine. */
export const hasDatabase = inject('databaseKind') !== 'postgres' || inject('postgresUrl') !== null;

export interface TestDatabase {
  /** What the service needs to be told of it. */
  readonly env: Record<string, string>;
  /** A directory of its own, with the embedded database if that is the kind. */
  readonly dir: string;
  open(): Promise<Database>;
  /** Everything that uses it must be closed before. */
  drop(): Promise<void>;
}

/** A migrated database without rows, of the kind that this project's suites run on. */
export async function createTestDatabase({
  isMigrated = true,
}: {
  /** False: without tables, too. */
  isMigrated?: boolean;
} = {}): Promise<TestDatabase> {
  const dir = await mkdtemp(join(tmpdir(), 'retouch-test-'));
  const removeDir = () => rm(dir, { recursive: true, force: true });
  if (inject('databaseKind') === 'pglite') {
    if (isMigrated) {
      await cp(inject('pgliteTemplate'), dir, { recursive: true });
      // This copy need not outlast a power cut.
      markOnDisk(dir);
    }
    return {
      env: { DATA_DIR: dir },
      dir,
      open: () => openPglite({ dir, log }),
      drop: removeDir,
    };
  }
  const server = inject('postgresUrl');
  if (server === null) throw new Error('no Postgres server');
  const name = `retouch_${randomUUID().replaceAll('-', '')}`;
  await onServer(
    server,
    `CREATE DATABASE ${name} TEMPLATE ${isMigrated ? 'retouch_template' : 'template0'}`,
  );
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    env: { DATA_DIR: dir, DATABASE_URL: url.href },
    dir,
    open: async () => openPostgres({ url: url.href, log }),
    async drop() {
      await onServer(server, `DROP DATABASE ${name} WITH (FORCE)`);
      await removeDir();
    },
  };
}

/** CREATE DATABASE fails while another session copies the template: it is tried again. */
async function onServer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query("SELECT pg_advisory_lock(hashtext('retouch test databases'))");
    await client.query(statement);
  } finally {
    await client.end();
  }
}
