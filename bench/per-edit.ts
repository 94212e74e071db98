import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startPostgresCluster } from '../test/support/postgres-cluster.ts';
import { cpuMsOf, untilIdle } from '../test/support/process-stats.ts';
import { startSandboxProcess, startService } from '../test/support/processes.ts';
import type { Row } from '../test/support/report.ts';
import { noisePng } from '../test/support/test-images.ts';
import { createLoad } from './forward/load.ts';
import { type Counters, openCounters } from './per-edit/counters.ts';
import { finish, JSON_OPTION } from './results/finish.ts';

/**
 * What one edit costs a Postgres server, an API and a worker, and what processes at rest cost it:
 * docs/scaling.md multiplies these. No bars.
 *
 * `node bench/per-edit.ts [--edits 400] [--rest-seconds 60]`
 */
const { values } = parseArgs({
  options: {
    edits: { type: 'string', default: '400' },
    'rest-seconds': { type: 'string', default: '60' },
    ...JSON_OPTION,
  },
});
const EDITS = Number(values.edits);
const REST_SECONDS = Number(values['rest-seconds']);
const CONCURRENCY = 8;
const UPSTREAM = { delayMs: 200, fixedOutputBytes: 100_000 };
/** They fill caches and prepare statements. */
const WARM_UP_EDITS = 20;

const cluster = await startPostgresCluster();
if (cluster === null) {
  process.stderr.write('SKIPPED: no Postgres server is installed.\n');
  process.exit();
}
const dir = await mkdtemp(join(tmpdir(), 'retouch-bench-'));
const sandbox = await startSandboxProcess(UPSTREAM);
const load = createLoad({ png: await noisePng(100_000) });
const counters = await openCounters(cluster);
const env = {
  DATABASE_URL: cluster.url,
  DATA_DIR: dir,
  EDITS_API_URL: sandbox.url,
  EDITS_API_KEY: 'sk-bench',
  LOG_LEVEL: 'info',
  MAX_CONCURRENT_EDITS: String(CONCURRENCY),
};
const api = await startService({ ...env, ROLE: 'api' });
const worker = await startService({ ...env, ROLE: 'worker' });
const pids = { api: api.child.pid ?? 0, worker: worker.child.pid ?? 0 };
const rows: Row[] = [];
try {
  await load.run(api.url, { edits: WARM_UP_EDITS, concurrency: CONCURRENCY, n: 1 });
  const before = await look();
  await load.run(api.url, { edits: EDITS, concurrency: CONCURRENCY, n: 1 });
  // What follows an edit, such as its thumbnails, is its own.
  await untilIdle(pids.worker);
  const after = await look();
  rows.push(...perEdit(before, after));
  await new Promise((resolve) => setTimeout(resolve, REST_SECONDS * 1_000));
  rows.push(...atRest(after, await look()));
} finally {
  load.close();
  await Promise.all([api.stop(), worker.stop()]);
  await sandbox.stop();
  await counters.close();
  await cluster.stop();
  await rm(dir, { recursive: true, force: true });
}
await finish({ rows }, values.json);

interface Look extends Counters {
  readonly apiCpuMs: number;
  readonly workerCpuMs: number;
}

async function look(): Promise<Look> {
  const [apiCpuMs, workerCpuMs] = await Promise.all([cpuMsOf(pids.api), cpuMsOf(pids.worker)]);
  return { ...(await counters.read()), apiCpuMs, workerCpuMs };
}

function perEdit(from: Look, to: Look): Row[] {
  const of = (name: keyof Look, digits = 1) => ((to[name] - from[name]) / EDITS).toFixed(digits);
  return [
    { what: 'statements of an edit', service: of('statements') },
    { what: 'transactions', service: of('transactions') },
    { what: 'rows inserted', service: of('inserted') },
    { what: 'rows updated', service: of('updated') },
    { what: 'rows deleted', service: of('deleted') },
    { what: 'write-ahead log', service: `${of('walBytes', 0)} bytes` },
    { what: 'growth of the database', service: `${of('databaseBytes', 0)} bytes` },
    { what: 'notifications', service: of('notifications') },
    { what: 'processor time of Postgres', service: `${of('postgresCpuMs')} ms` },
    { what: 'processor time of the API', service: `${of('apiCpuMs')} ms` },
    { what: 'processor time of the worker', service: `${of('workerCpuMs')} ms` },
    { what: 'connections of an API and a worker', service: String(to.connections) },
  ];
}

function atRest(from: Look, to: Look): Row[] {
  const perSecond = (name: keyof Look) => ((to[name] - from[name]) / REST_SECONDS).toFixed(2);
  return [
    { what: 'at rest: statements of both a second', service: perSecond('statements') },
    { what: 'at rest: write-ahead log a second', service: `${perSecond('walBytes')} bytes` },
    {
      what: 'at rest: processor time of Postgres a second',
      service: `${perSecond('postgresCpuMs')} ms`,
    },
  ];
}
