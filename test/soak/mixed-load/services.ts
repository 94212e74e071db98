import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject, onTestFinished } from 'vitest';
import type { Database } from '../../../src/database/database.ts';
import { createLog } from '../../../src/log.ts';
import { createTestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { limitMemory, type MemoryLimit } from '../../support/memory-limit.ts';
import { openServer } from '../../support/open-database.ts';
import { freePort, startPostgresCluster } from '../../support/postgres-cluster.ts';
import { type ServiceProcess, startService } from '../../support/processes.ts';

/** As compose.yaml has it, for each process of the service and for Postgres. */
export const LIMIT_BYTES = 512 * 1024 ** 2;

export interface LimitedProcess {
  readonly name: string;
  readonly service: ServiceProcess;
  readonly pid: number;
  /** Null: none can be set here, so what the process takes is sampled only. */
  readonly limit: MemoryLimit | null;
}

/** The service as compose.yaml runs it: one process, or with Postgres one that serves and one that edits. */
export interface LimitedServices {
  readonly url: string;
  readonly dataDir: string;
  readonly processes: readonly LimitedProcess[];
  /** Of the Postgres server. */
  readonly postgres: MemoryLimit | null;
  /** When no process of the service runs. */
  open(): Promise<Database>;
}

/** Until the test ends. */
export async function startLimitedServices(upstreamUrl: string): Promise<LimitedServices> {
  const database = await createDatabase();
  const port = await freePort();
  const env = {
    ...database.env,
    EDITS_API_URL: upstreamUrl,
    EDITS_API_KEY: 'sk-soak',
    EDITS_API_FIRST_HAND: 'true',
    SECRET_KEY: randomBytes(32).toString('base64'),
    WEBHOOK_ALLOWED_HOSTS: '127.0.0.1',
    PUBLIC_URL: `http://127.0.0.1:${port}`,
  };
  async function start(name: string, more: Record<string, string>): Promise<LimitedProcess> {
    const limit = limitMemory(LIMIT_BYTES, name);
    onTestFinished(() => eventually(async () => limit?.remove()));
    const service = await startService(
      { ...env, ...more },
      ({ kill }) => onTestFinished(kill),
      limit?.procs,
    );
    return { name, service, pid: service.child.pid ?? 0, limit };
  }
  const processes =
    inject('databaseKind') === 'pglite'
      ? [await start('all', { PORT: `${port}` })]
      : [
          await start('api', { PORT: `${port}`, ROLE: 'api' }),
          await start('worker', { ROLE: 'worker' }),
        ];
  const { dir: dataDir, postgres, open } = database;
  return { url: env.PUBLIC_URL, dataDir, processes, postgres, open };
}

/** Empty, so that the first start is within the limit, too. */
async function createDatabase() {
  const cluster = inject('databaseKind') === 'postgres' ? await startPostgresCluster() : null;
  if (cluster === null) {
    const database = await createTestDatabase({ isMigrated: false });
    onTestFinished(() => database.drop());
    return { ...database, postgres: null };
  }
  const postgres = limitMemory(LIMIT_BYTES, 'postgres');
  onTestFinished(() => eventually(async () => postgres?.remove()));
  onTestFinished(() => cluster.stop());
  for (const pid of postgres === null ? [] : await cluster.pids()) {
    // A session's process may have ended meanwhile; all later ones are children of the server.
    await writeFile(postgres?.procs ?? '', `${pid}`).catch((error) => {
      if (error.code !== 'ESRCH') throw error;
    });
  }
  const dir = await mkdtemp(join(tmpdir(), 'retouch-test-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const env = { DATA_DIR: dir, DATABASE_URL: cluster.url };
  const log = createLog({ level: 'error' });
  return { env, dir, postgres, open: async () => openServer(env, log) };
}
