import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { onServer } from '../support/hostile-role.ts';
import { EDIT } from '../support/operations.ts';
import { startPostgresCluster } from '../support/postgres-cluster.ts';
import { startSwitchingProxy } from '../support/switching-proxy.ts';
import { png } from '../support/test-images.ts';

const ready = ({ url }: TestApp) => fetch(`${url}/health/ready`);

async function untilNotReady(app: TestApp): Promise<void> {
  await eventually(async () => {
    const response = await ready(app);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ database: false });
  });
}

const untilReady = (app: TestApp) =>
  eventually(async () => expect((await ready(app)).status).toBe(200));

/** Nothing is taken in, and nobody is left waiting. */
async function expectRefused({ url }: TestApp, image: Uint8Array): Promise<void> {
  const body = new Uint8Array(image);
  const headers = { 'content-type': 'application/json' };
  const ask = (query: string) =>
    fetch(`${url}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query }) });
  for (const response of await Promise.all([
    ask('{ editJobs { totalCount } }'),
    ask(
      'mutation { setLimit(input: { subject: { ownerId: "local" }, measure: COST, window: DAY, amount: "1" }) { __typename } }',
    ),
    fetch(`${url}/images`, { method: 'POST', headers: { 'content-type': 'image/png' }, body }),
    fetch(`${url}/export/edits`),
  ])) {
    expect(response.status).toBe(503);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    await response.body?.cancel();
  }
}

async function submit(app: TestApp, prompt: string): Promise<string> {
  const input = { images: [{ file: null }], prompt, wait: 0 };
  const files = { 'input.images.0.file': await png() };
  const { data } = await app.upload(EDIT, { input }, files);
  return data.editImage.editJob.id;
}

const untilSucceeded = (app: TestApp, id: string) =>
  eventually(async () => {
    const { data } = await app.query('query($id: ID!) { editJob(id: $id) { status } }', { id });
    expect(data.editJob.status).toBe('SUCCEEDED');
  });

const canRun = hasDatabase && inject('databaseKind') === 'postgres';

describe.runIf(canRun)('a database that takes no writes', () => {
  test.each([
    ['break', false],
    ['stay', true],
  ])(
    'as it fails over is not ready until the standby is promoted, and nothing is lost: connections %s',
    async (_, keep) => {
      const primary = await startPostgresCluster();
      if (primary === null) throw new Error('no Postgres server is installed');
      onTestFinished(primary.stop);
      const proxy = await startSwitchingProxy(Number(new URL(primary.url).port));
      const url = new URL(primary.url);
      url.port = String(proxy.port);
      const app = await startTestApp({ DATABASE_URL: url.href });
      onTestFinished(app.stop);
      const standby = await primary.startStandby();
      onTestFinished(standby.stop);
      await untilSucceeded(app, await submit(app, 'before'));

      app.sandbox.faults.push({ kind: 'delay', delayMs: 3_000 });
      const running = await submit(app, 'while it fails over');
      await eventually(() => expect(app.sandbox.stats().paid).toBe(2));
      if (keep) {
        // The old primary lives on, and takes no writes: nobody breaks what leads there.
        await onServer(
          primary.url,
          'ALTER SYSTEM SET default_transaction_read_only = on',
          'SELECT pg_reload_conf()',
        );
        proxy.switchTo(standby.port, { keep });
      } else {
        await primary.shutDown();
        proxy.switchTo(standby.port);
      }
      await untilNotReady(app);
      await expectRefused(app, await png());
      // The result has come by now, and cannot be written down yet.
      await eventually(() =>
        expect(app.logged.join('')).toContain('cannot store the state of an attempt'),
      );

      await standby.promote();
      await untilReady(app);
      await untilSucceeded(app, running);
      await untilSucceeded(app, await submit(app, 'after'));
      expect(app.sandbox.stats()).toMatchObject({ requests: 3, paid: 3 });
    },
  );

  test('by a default of the role is ready again soon after that is gone, by connections that are new', async () => {
    let databaseUrl = '';
    const app = await startTestApp(async ({ DATABASE_URL = '' }) => {
      databaseUrl = DATABASE_URL;
      return {};
    });
    onTestFinished(app.stop);
    const { username, pathname } = new URL(databaseUrl);
    const database = pathname.slice(1);
    const set = (value: string) =>
      onServer(
        inject('postgresUrl') ?? '',
        `ALTER ROLE ${username} IN DATABASE ${database} SET default_transaction_read_only TO ${value}`,
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${database}' AND ${value === 'on'}`,
      );
    await set('on');
    await untilNotReady(app);
    await expectRefused(app, await png());
    await set('off');
    await untilReady(app);
    await untilSucceeded(app, await submit(app, 'after'));
  });
});
