import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { Pool } from 'undici';
import { ENVIRONMENT, NODE_FLAGS } from '../src/app/node-options.ts';
import { migrate } from '../src/database/migrations.ts';
import { openPglite } from '../src/database/pglite.ts';
import { createLog } from '../src/log.ts';
import { openServer } from '../test/support/open-database.ts';
import { startPostgresCluster } from '../test/support/postgres-cluster.ts';
import { median, type Row } from '../test/support/report.ts';
import { type Measured, startMeasured } from './forward/measured.ts';
import { fill, type Run } from './history/fill.ts';
import { QUERY, STATEMENT } from './page-of-edits/statement-sql.ts';
import { finish, JSON_OPTION } from './results/finish.ts';

/**
 * What a page of the history takes over HTTP and GraphQL, over one statement, written by hand, that
 * reads the same rows by nothing but the driver; on both databases, in alternating runs. Exit code 1: a
 * bar was missed.
 *
 * `node bench/page-of-edits.ts [--rounds 30] [--only pglite|postgres]`; wants an idle machine.
 */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '30' },
    only: { type: 'string' },
    ...JSON_OPTION,
  },
});
const ROUNDS = Number(values.rounds);
const EDITS = 10_000;
const WARM_UP = 10;
const REQUESTS = 10;
const MAX_RATIO = 3;
const MAX_GROWTH = 4;
const OWNER = 'local';

const log = createLog({ level: 'warn' });
const dir = await mkdtemp(join(tmpdir(), 'retouch-bench-'));
const rows: Row[] = [];
const notes: string[] = [];
try {
  if (values.only !== 'postgres') rows.push(...(await onPglite()));
  if (values.only !== 'pglite') rows.push(...(await onPostgres()));
  await finish({ rows, notes }, values.json);
} finally {
  await rm(dir, { recursive: true, force: true });
}

async function onPglite(): Promise<Row[]> {
  const data = join(dir, 'pglite');
  const database = await openPglite({ dir: data, log });
  await migrate({ database, log });
  await fill((sql, given = []) => database.prisma.$queryRawUnsafe(sql, ...given), EDITS);
  await database.close();
  // Only one process can open it.
  const copy = join(dir, 'copy');
  await cp(data, copy, { recursive: true });
  return compare('PGlite', { DATA_DIR: data }, ['pglite', join(copy, 'postgres')]);
}

async function onPostgres(): Promise<Row[]> {
  const cluster = await startPostgresCluster();
  if (cluster === null) {
    notes.push('SKIPPED on Postgres: no Postgres server is installed.');
    return [];
  }
  try {
    const client = new pg.Client({ connectionString: cluster.url });
    await client.connect();
    await client.query('CREATE DATABASE page');
    await client.end();
    const url = new URL(cluster.url);
    url.pathname = '/page';
    const database = openServer({ DATABASE_URL: url.href }, log);
    await migrate({ database, log });
    await database.close();
    const filling = new pg.Client({ connectionString: url.href });
    await filling.connect();
    const run: Run = async (sql, given) =>
      (await filling.query(sql, given && [...given])).rows ?? [];
    await fill(run, EDITS);
    await filling.end();
    const env = { DATA_DIR: join(dir, 'postgres'), DATABASE_URL: url.href };
    return await compare('Postgres', env, ['postgres', url.href]);
  } finally {
    await cluster.stop();
  }
}

async function compare(
  name: string,
  env: Record<string, string>,
  database: readonly string[],
): Promise<Row[]> {
  const options = {
    flags: [...NODE_FLAGS, ...process.execArgv.filter((flag) => flag.startsWith('--cpu-prof'))],
    environment: ENVIRONMENT,
  };
  await using opened = new AsyncDisposableStack();
  const start = async (kind: 'service' | 'statement', args: readonly string[]) => {
    const measured = await startMeasured(kind, { ...options, args });
    opened.defer(() => measured.stop());
    return opened.adopt(poolOf(measured), (pool) => pool.close());
  };
  const service = await start('service', [
    JSON.stringify({ PORT: '0', LOG_LEVEL: 'error', ...env }),
  ]);
  const statement = await start('statement', database);
  const times = { 20: [] as number[], 100: [] as number[], statement: [] as number[] };
  for (let round = 0; round < WARM_UP + ROUNDS; round += 1) {
    const taken = {
      statement: await medianOf(() => runStatement(statement, 20)),
      20: await medianOf(() => queryPage(service, 20)),
      100: await medianOf(() => queryPage(service, 100)),
    };
    if (round < WARM_UP) continue;
    for (const key of [20, 100, 'statement'] as const) times[key].push(taken[key]);
  }
  const floor = median(times.statement);
  const [page, long] = [median(times[20]), median(times[100])];
  return [
    {
      what: `${name}: a page of 20 edits, over one statement`,
      floor: `${floor.toFixed(2)} ms`,
      service: `${page.toFixed(2)} ms`,
      runs: { floor: times.statement, service: times[20] },
      bar: { value: page / floor, atMost: MAX_RATIO, unit: 'x' },
    },
    {
      what: `${name}: a page of 100 edits, over a page of 20`,
      floor: `${page.toFixed(2)} ms`,
      service: `${long.toFixed(2)} ms`,
      runs: { floor: times[20], service: times[100] },
      bar: { value: long / page, atMost: MAX_GROWTH, unit: 'x' },
    },
  ];
}

function poolOf({ url }: Measured): Pool {
  return new Pool(url, { connections: 1 });
}

async function medianOf(run: () => Promise<number>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < REQUESTS; i += 1) times.push(await run());
  return median(times);
}

async function runStatement(pool: Pool, first: number): Promise<number> {
  const { ms, rows: found } = (await post(pool, '/', {
    sql: STATEMENT,
    values: [OWNER, first + 1],
  })) as { ms: number; rows: number };
  if (found !== first + 1) throw new Error(`the statement found ${found} edits`);
  return ms;
}

async function queryPage(pool: Pool, first: number): Promise<number> {
  const startedMs = performance.now();
  const { data } = (await post(pool, '/graphql', { query: QUERY, variables: { first } })) as {
    data: { editJobs: { edges: unknown[] } };
  };
  const ms = performance.now() - startedMs;
  if (data.editJobs.edges.length !== first) throw new Error('the page is not full');
  return ms;
}

async function post(pool: Pool, path: string, body: object): Promise<unknown> {
  const { statusCode, body: answer } = await pool.request({
    method: 'POST',
    path,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (statusCode !== 200 || text.includes('"errors"')) throw new Error(text);
  return JSON.parse(text);
}
