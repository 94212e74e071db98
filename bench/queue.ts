import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Database } from '../src/database/database.ts';
import { openPglite } from '../src/database/pglite.ts';
import { createLog } from '../src/log.ts';
import { openServer } from '../test/support/open-database.ts';
import { startPostgresCluster } from '../test/support/postgres-cluster.ts';
import { quantile, type Row } from '../test/support/report.ts';
import { measureLatencies } from './queue/latency.ts';
import { measureThroughput } from './queue/throughput.ts';
import { finish, JSON_OPTION } from './results/finish.ts';

/**
 * How soon a worker has what was committed, and what a second process brings when the edits API (200
 * ms an edit) is the bottleneck. Postgres is a server of its own, without fsync. Exit code 1: a bar
 * was missed.
 *
 * `node bench/queue.ts [--edits 2000] [--concurrency 8] [--samples 200]`
 */
const { values } = parseArgs({
  options: {
    edits: { type: 'string', default: '2000' },
    concurrency: { type: 'string', default: '8' },
    samples: { type: 'string', default: '200' },
    ...JSON_OPTION,
  },
});
const EDITS = Number(values.edits);
const CONCURRENCY = Number(values.concurrency);
const SAMPLES = Number(values.samples);

const log = createLog({ level: 'warn' });
const rows: Row[] = [];
const notes: string[] = [];
const dir = await mkdtemp(join(tmpdir(), 'retouch-bench-'));
const cluster = await startPostgresCluster();
try {
  await latency('PGlite', await openPglite({ dir, log }));
  if (cluster === null) {
    notes.push('SKIPPED on Postgres: no Postgres server is installed.');
  } else {
    await latency('Postgres', openServer({ DATABASE_URL: cluster.url }, log));
    await throughput(cluster.url);
  }
} finally {
  await cluster?.stop();
  await rm(dir, { recursive: true, force: true });
}
await finish({ rows, notes }, values.json);

async function latency(name: string, database: Database): Promise<void> {
  const latenciesMs = await measureLatencies(database, SAMPLES);
  await database.close();
  const p50 = quantile(latenciesMs, 0.5);
  const p95 = quantile(latenciesMs, 0.95);
  rows.push({
    what: `commit to worker on ${name}, p50`,
    service: `${p50.toFixed(1)} ms`,
    runs: { service: latenciesMs },
    bar: { value: p50, atMost: 25, unit: 'ms' },
  });
  rows.push({ what: `commit to worker on ${name}, p95`, service: `${p95.toFixed(1)} ms` });
}

async function throughput(postgresUrl: string): Promise<void> {
  const common = { postgresUrl, edits: EDITS, concurrencyPerProcess: CONCURRENCY };
  const one = await measureThroughput({ ...common, processes: 1 });
  const two = await measureThroughput({ ...common, processes: 2 });
  const gain = two.editsPerSecond / one.editsPerSecond;
  const speed = ({ editsPerSecond }: typeof one) => `${editsPerSecond.toFixed(1)} edits/s`;
  rows.push({
    what: `${EDITS} queued edits, ${CONCURRENCY} at a time: 1 process, then 2`,
    floor: speed(one),
    service: speed(two),
    bar: { value: gain, atLeast: 1.8, unit: 'x' },
  });
  const lost = one.lost + two.lost;
  rows.push({ what: 'lost', service: `${lost}`, bar: { value: lost, atMost: 0, unit: '' } });
  const doubled = one.doubled + two.doubled;
  rows.push({
    what: 'doubled',
    service: `${doubled}`,
    bar: { value: doubled, atMost: 0, unit: '' },
  });
  const p95 = quantile(two.pingsMs, 0.95);
  rows.push({
    what: '{ __typename } meanwhile, p95',
    service: `${p95.toFixed(1)} ms`,
    bar: { value: p95, atMost: 100, unit: 'ms' },
  });
}
