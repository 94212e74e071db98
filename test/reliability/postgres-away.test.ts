import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type PostgresCluster, startPostgresCluster } from '../support/postgres-cluster.ts';
import { type RigDatabase, startRig } from '../support/rig.ts';

/** By the guarantee, in milliseconds. */
const PAUSE_MS = 30_000;
/** What is no bar: starts and claims are slow beside other work. */
const WAIT = { timeout: 30_000 };
const RECOVERED_WITHIN_MS = 30_000;
/** A refused request takes no longer: see `src/database/availability.ts`. */
const REFUSED_WITHIN_MS = 5_000;
/** See `src/database/postgres.ts`. */
const LET_IN_WITHIN_MS = 20_000;

/** A server of its own, which can be ended and stopped. */
async function startOwnRig(env: Record<string, string> = {}, options = {}) {
  const cluster = await startPostgresCluster();
  if (cluster === null) throw new Error('no Postgres server is installed');
  onTestFinished(() => cluster.stop());
  const dir = await mkdtemp(join(tmpdir(), 'retouch-test-'));
  const database: RigDatabase = {
    dir,
    env: { DATA_DIR: dir, DATABASE_URL: cluster.url },
    drop: () => rm(dir, { recursive: true, force: true }),
  };
  return { cluster, rig: await startRig(env, options, database) };
}

/** @param withinMs One that was let in just before the database stopped hangs on its statement. */
async function expectRefusal(url: string, withinMs = REFUSED_WITHIN_MS): Promise<void> {
  const startedMs = performance.now();
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ editJobs { totalCount } }' }),
  });
  expect(performance.now() - startedMs).toBeLessThan(withinMs);
  expect(response.status).toBe(503);
  expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await response.json()).errors[0].extensions.code).toBe('UNAVAILABLE');
}

const served = (query: () => Promise<{ httpStatus: number }>) =>
  eventually(async () => expect((await query()).httpStatus).toBe(200), {
    timeout: RECOVERED_WITHIN_MS,
    interval: 100,
  });

async function canRun(): Promise<boolean> {
  if (inject('databaseKind') !== 'postgres') return false;
  const cluster: PostgresCluster | null = await startPostgresCluster();
  await cluster?.stop();
  return cluster !== null;
}

describe.runIf(await canRun())('while Postgres is away', { timeout: 150_000 }, () => {
  test('restarting, work is refused with 503, and what was out is written down after it', async () => {
    const { cluster, rig } = await startOwnRig({}, { delayMs: 1_000 });
    const ids = [await rig.submit('a'), await rig.submit('b')];
    await eventually(async () => expect((await rig.sandbox.stats()).paid).toBe(2), WAIT);
    await cluster.shutDown();
    await expectRefusal(rig.service.url);
    await rig.service.line((line) => line.includes('cannot write down the state of an attempt'));
    await expectRefusal(rig.service.url);
    await cluster.start();
    await served(() => rig.query('{ editJobs { totalCount } }'));
    for (const id of ids) expect((await rig.final(id)).status).toBe('SUCCEEDED');
    const later = await rig.submit('later');
    expect((await rig.final(later)).status).toBe('SUCCEEDED');
    expect(await rig.sandbox.stats()).toMatchObject({ requests: 3, paid: 3 });
  });

  test('stopped for 30 s, work is refused, and no process takes over what another has out', async () => {
    const { cluster, rig } = await startOwnRig({ MAX_CONCURRENT_EDITS: '2' }, { delayMs: 2_000 });
    const second = await rig.startSecond();
    const ids = await Promise.all(['a', 'b', 'c', 'd'].map((prompt) => rig.submit(prompt)));
    await eventually(async () => expect((await rig.sandbox.stats()).paid).toBe(4), WAIT);
    await cluster.pause();
    const resumed = new Promise((resolve) => setTimeout(resolve, PAUSE_MS)).then(cluster.resume);
    await Promise.all([rig.service, second].map(({ url }) => expectRefusal(url, LET_IN_WITHIN_MS)));
    await Promise.all([rig.service, second].map(({ url }) => expectRefusal(url)));
    await resumed;
    await served(() => rig.query('{ editJobs { totalCount } }'));
    await served(() => second.query('{ editJobs { totalCount } }'));
    for (const id of ids) expect((await rig.final(id)).status).toBe('SUCCEEDED');
    const later = await rig.submit('later');
    expect((await rig.final(later)).status).toBe('SUCCEEDED');
    expect(await rig.sandbox.stats()).toMatchObject({ requests: 5, paid: 5 });
  });
});
