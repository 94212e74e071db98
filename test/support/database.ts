import { randomUUID } from 'node:crypto';
import { cpSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { inject } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { openPglite } from '../../src/database/pglite.ts';
import { markOnDisk } from '../../src/database/synced-mark.ts';
import { createLog } from '../../src/log.ts';
import { databaseKind } from './database-kind.ts';
import { EMPTY_TEMPLATE, ROLE, TEMPLATE, urlOfRole } from './hostile-role.ts';
import { openServer } from './open-database.ts';

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
  const kind = databaseKind();
  const dir = await mkdtemp(join(tmpdir(), 'retouch-test-'));
  const removeDir = () => rm(dir, { recursive: true, force: true });
  if (kind === 'pglite') {
    if (isMigrated) {
      // The asynchronous one takes six times the CPU for these thousand small files.
      cpSync(inject('pgliteTemplate'), dir, { recursive: true });
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
    `CREATE DATABASE ${name} TEMPLATE ${isMigrated ? TEMPLATE : EMPTY_TEMPLATE}`,
  );
  // With our tables, their schemas are there: the role may not create any then.
  if (!isMigrated) await onServer(server, `GRANT CREATE ON DATABASE ${name} TO ${ROLE}`);
  const env = { DATA_DIR: dir, DATABASE_URL: urlOfRole(server, name) };
  return {
    env,
    dir,
    open: async () => openServer(env, log),
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
