import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { startApp } from '../src/app/app.ts';
import { loadConfig } from '../src/config/config.ts';
import { migrate } from '../src/database/migrations.ts';
import { openPglite } from '../src/database/pglite.ts';
import { createLog } from '../src/log.ts';
import { openServer } from '../test/support/open-database.ts';
import { startPostgresCluster } from '../test/support/postgres-cluster.ts';
import { type Row, tableOf } from '../test/support/report.ts';
import { explainAll } from './history/explain.ts';
import { fill, type Run, treeMember } from './history/fill.ts';
import { type Latencies, measure } from './history/measure.ts';
import { compare, figures } from './history/rows.ts';
import { finish, JSON_OPTION } from './results/finish.ts';

/**
 * What the history's queries take at 10,000 and at 1,000,000 edits of 10 owners, over HTTP and
 * GraphQL, by the owner who has a tenth of them. Postgres is a server of its own, without fsync;
 * the embedded database is measured at 10,000 and 100,000. Prints the plans of the large one's
 * statements. Exit code 1: a bar was missed, or a plan reads all jobs one by one.
 *
 * `node bench/history.ts [--samples 120] [--edits 1000000] [--only postgres] [--server postgres://…]`
 *
 * 10,000,000 edits take 40 GB of disk and some half an hour to fill. With `--server`, that server has
 * the databases, which stay there: the next run finds them filled.
 */
const { values } = parseArgs({
  options: {
    samples: { type: 'string', default: '120' },
    edits: { type: 'string', default: '1000000' },
    only: { type: 'string' },
    server: { type: 'string' },
    ...JSON_OPTION,
  },
});
const SAMPLES = Number(values.samples);
const SMALL = 10_000;
const LARGE = Number(values.edits);
const LARGE_PGLITE = 100_000;

/** The comment of a database that is complete. */
const FILLED = 'filled by bench/history.ts';

const log = createLog({ level: 'warn' });
const say = (line: string) => process.stdout.write(`${line}\n`);

const rows: Row[] = [];
const notes: string[] = [];

if (values.only !== 'pglite') await onPostgres();
if (values.only !== 'postgres') await onPglite();
await finish({ rows, notes }, values.json);

async function onPostgres(): Promise<void> {
  const cluster = await openServers();
  if (cluster === null) {
    notes.push('SKIPPED on Postgres: no Postgres server is installed.');
    return;
  }
  try {
    const latencies: Latencies[] = [];
    for (const jobs of [SMALL, LARGE]) {
      const url = await postgresWith(cluster.url, jobs);
      latencies.push(await measureService({ DATABASE_URL: url }, jobs));
      if (jobs !== LARGE) continue;
      const { plans, scans } = await explainAll(url, treeMember(jobs));
      say(plans);
      for (const statement of scans) say(`FAIL: reads all jobs one by one: ${statement}`);
      rows.push({
        what: 'Postgres: statements that read all jobs one by one',
        service: `${scans.length}`,
        bar: { value: scans.length, atMost: 0, unit: '' },
      });
    }
    const [small, large] = latencies;
    if (small === undefined || large === undefined) throw new Error('nothing was measured');
    const compared = compare(small, large, LARGE);
    say(`Postgres, ${SMALL} edits (floor) and ${LARGE}, p50 / p95\n${tableOf(compared)}`);
    rows.push(...compared.map((row) => ({ ...row, what: `Postgres: ${row.what}` })));
    notes.push(
      `Postgres with ${SMALL} edits (floor) and with ${LARGE}, p50 / p95 of ${SAMPLES} requests; a measure is of p95.`,
    );
  } finally {
    await cluster.stop();
  }
}

async function onPglite(): Promise<void> {
  for (const jobs of [SMALL, LARGE_PGLITE]) {
    const dir = await mkdtemp(join(tmpdir(), 'retouch-bench-'));
    try {
      const database = await openPglite({ dir, log });
      await migrate({ database, log });
      const { prisma } = database;
      await timed(`${jobs} edits filled on PGlite`, () =>
        fill((sql, given = []) => prisma.$queryRawUnsafe(sql, ...given), jobs),
      );
      await database.close();
      const latencies = await measureService({ DATA_DIR: dir }, jobs);
      const measured = figures(latencies);
      say(`PGlite, ${jobs} edits, p50 / p95\n${tableOf(measured)}`);
      rows.push(...measured.map((row) => ({ ...row, what: `PGlite, ${jobs} edits: ${row.what}` })));
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  }
}

async function openServers() {
  const { server } = values;
  if (server === undefined) return startPostgresCluster();
  return { url: server, stop: async () => {} };
}

/** A database of its own with so many edits; answers its URL. */
async function postgresWith(server: string, jobs: number): Promise<string> {
  const name = `history_${jobs}`;
  const url = new URL(server);
  url.pathname = `/${name}`;
  if (await isFilled(server, name)) return url.href;
  await withClient(server, async (run) => {
    await run(`DROP DATABASE IF EXISTS ${name}`);
    await run(`CREATE DATABASE ${name}`);
  });
  const database = openServer({ DATABASE_URL: url.href }, log);
  await migrate({ database, log });
  await database.close();
  await withClient(url.href, async (run) => {
    await run(`SET maintenance_work_mem = '256MB'`);
    await timed(`${jobs} edits filled on Postgres`, () => fill(run, jobs));
    await run(`COMMENT ON DATABASE ${name} IS '${FILLED}'`);
  });
  return url.href;
}

async function isFilled(server: string, name: string): Promise<boolean> {
  let comments: readonly object[] = [];
  await withClient(server, async (run) => {
    comments = await run(
      `SELECT FROM pg_database WHERE datname = $1 AND shobj_description(oid, 'pg_database') = $2`,
      [name, FILLED],
    );
  });
  return comments.length > 0;
}

async function withClient(url: string, work: (run: Run) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await work(async (sql, given) => (await client.query(sql, given && [...given])).rows ?? []);
  } finally {
    await client.end();
  }
}

async function measureService(env: Record<string, string>, jobs: number): Promise<Latencies> {
  const dir = await mkdtemp(join(tmpdir(), 'retouch-bench-'));
  const config = loadConfig({ PORT: '0', LOG_LEVEL: 'warn', DATA_DIR: dir, ...env });
  const app = await startApp({ config, log });
  try {
    return await measure(app.url, SAMPLES, treeMember(jobs));
  } finally {
    await app.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

async function timed(what: string, work: () => Promise<unknown>): Promise<void> {
  const startedMs = performance.now();
  await work();
  say(`${what} in ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`);
}
