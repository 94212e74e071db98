import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type PostgresCluster, startPostgresCluster } from '../support/postgres-cluster.ts';
import { type RigDatabase, startRig } from '../support/service-processes.ts';

/** A process counts as dead long before Postgres is resumed. */
const WORKER_TIMEOUT_SECONDS = '3';

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

/**
 * Resolves while Postgres is still away, or not at all: a request that was let in before waits for the
 * service's own deadline on a statement, a later one is refused at once.
 */
async function expectRefusal(url: string): Promise<void> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ editJobs { totalCount } }' }),
  });
  expect(response.status).toBe(503);
  expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await response.json()).errors[0].extensions.code).toBe('UNAVAILABLE');
}

const served = (query: () => Promise<{ httpStatus: number }>) =>
  eventually(async () => expect((await query()).httpStatus).toBe(200));

async function canRun(): Promise<boolean> {
  if (inject('databaseKind') !== 'postgres') return false;
  const cluster: PostgresCluster | null = await startPostgresCluster();
  await cluster?.stop();
  return cluster !== null;
}

describe.runIf(await canRun())('while Postgres is away', () => {
  test('restarting, work is refused with 503, and what was out is written down after it', async () => {
    const { cluster, rig } = await startOwnRig({}, { delayMs: 1_000 });
    const ids = [await rig.submit('a'), await rig.submit('b')];
    await eventually(async () => expect((await rig.sandbox.stats()).paid).toBe(2));
    await cluster.shutDown();
    await expectRefusal(rig.service.url);
    await rig.service.line((line) => line.includes('cannot store the state of an attempt'));
    await expectRefusal(rig.service.url);
    await cluster.start();
    await served(() => rig.query('{ editJobs { totalCount } }'));
    for (const id of ids) expect((await rig.final(id)).status).toBe('SUCCEEDED');
    const later = await rig.submit('later');
    expect((await rig.final(later)).status).toBe('SUCCEEDED');
    expect(await rig.sandbox.stats()).toMatchObject({ requests: 3, paid: 3 });
  });

  test('stopped, work is refused, and no process takes over what another has out', async () => {
    const { cluster, rig } = await startOwnRig(
      { MAX_CONCURRENT_EDITS: '2', WORKER_TIMEOUT_SECONDS },
      { delayMs: 2_000 },
    );
    const second = await rig.startSecond();
    const ids = await Promise.all(['a', 'b', 'c', 'd'].map((prompt) => rig.submit(prompt)));
    await eventually(async () => expect((await rig.sandbox.stats()).paid).toBe(4));
    await cluster.pause();
    // Those that are let in before the service knows, and those that come after.
    await Promise.all([rig.service, second].map(({ url }) => expectRefusal(url)));
    await Promise.all([rig.service, second].map(({ url }) => expectRefusal(url)));
    await cluster.resume();
    await served(() => rig.query('{ editJobs { totalCount } }'));
    await served(() => second.query('{ editJobs { totalCount } }'));
    for (const id of ids) expect((await rig.final(id)).status).toBe('SUCCEEDED');
    const later = await rig.submit('later');
    expect((await rig.final(later)).status).toBe('SUCCEEDED');
    expect(await rig.sandbox.stats()).toMatchObject({ requests: 5, paid: 5 });
  });
});
