import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { LOCAL_VIEWER } from '../../src/auth/viewer.ts';
import { migrate } from '../../src/database/migrations.ts';
import { createLog } from '../../src/log.ts';
import { openServer } from '../../test/support/open-database.ts';
import { startSandboxProcess, startService } from '../../test/support/processes.ts';
import { openTenants } from '../../test/support/tenants.ts';

const LOOK_MS = 50;
const PING_MS = 50;
const UPSTREAM = { delayMs: 200, fixedOutputBytes: 20_000 };
/** Start and end, where not all places are taken, are left out of the rate. */
const FROM_SHARE = 0.1;
const TO_SHARE = 0.9;

export interface Throughput {
  readonly editsPerSecond: number;
  /** Edits that have not succeeded, when the queue is empty. */
  readonly lost: number;
  /** POSTs beyond one for each edit. */
  readonly doubled: number;
  /** Of `{ __typename }` at all processes meanwhile. */
  readonly pingsMs: readonly number[];
}

/** Runs a queue of so many edits down with so many processes, on a database of its own. */
export async function measureThroughput(options: {
  /** A server; the database is made on it. */
  postgresUrl: string;
  processes: number;
  edits: number;
  concurrencyPerProcess: number;
}): Promise<Throughput> {
  const { postgresUrl, processes, edits, concurrencyPerProcess } = options;
  const dataDir = await mkdtemp(join(tmpdir(), 'retouch-bench-'));
  const name = `bench_${processes}`;
  const server = new pg.Client({ connectionString: postgresUrl });
  await server.connect();
  await server.query(`CREATE DATABASE ${name}`);
  await server.end();
  const url = new URL(postgresUrl);
  url.pathname = `/${name}`;
  const log = createLog({ level: 'warn' });
  const database = openServer({ DATABASE_URL: url.href }, log);
  await migrate({ database, log });
  const tenants = await openTenants({ database, dataDir });
  await tenants.submitMany(LOCAL_VIEWER.ownerId, edits);
  await tenants.close();

  const sandbox = await startSandboxProcess(UPSTREAM);
  const env = {
    DATABASE_URL: url.href,
    DATA_DIR: dataDir,
    EDITS_API_URL: sandbox.url,
    EDITS_API_KEY: 'bench',
    LOG_LEVEL: 'info',
    MAX_CONCURRENT_EDITS: String(concurrencyPerProcess),
  };
  const services = await Promise.all(Array.from({ length: processes }, () => startService(env)));
  const done = new AbortController();
  const pinging = services.map((service) => ping(service.url, done.signal));
  try {
    const editsPerSecond = await rate(edits, () =>
      database.prisma.editJob.count({ where: { status: { notIn: ['QUEUED', 'RUNNING'] } } }),
    );
    done.abort();
    const succeeded = await database.prisma.editJob.count({ where: { status: 'SUCCEEDED' } });
    const { requests } = await sandbox.stats();
    const pingsMs = (await Promise.all(pinging)).flat();
    return { editsPerSecond, lost: edits - succeeded, doubled: requests - edits, pingsMs };
  } finally {
    done.abort();
    await Promise.all(services.map((service) => service.stop()));
    await sandbox.stop();
    await database.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function rate(edits: number, count: () => Promise<number>): Promise<number> {
  let from: { count: number; ms: number } | undefined;
  let to: { count: number; ms: number } | undefined;
  for (;;) {
    const now = { count: await count(), ms: performance.now() };
    if (now.count >= edits * FROM_SHARE) from ??= now;
    if (now.count >= edits * TO_SHARE) to ??= now;
    if (now.count >= edits && from && to) {
      return ((to.count - from.count) * 1_000) / (to.ms - from.ms);
    }
    await delay(LOOK_MS);
  }
}

async function ping(url: string, signal: AbortSignal): Promise<number[]> {
  const took: number[] = [];
  while (!signal.aborted) {
    const startedMs = performance.now();
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"query":"{ __typename }"}',
    });
    await response.text();
    took.push(performance.now() - startedMs);
    await delay(PING_MS);
  }
  return took;
}
