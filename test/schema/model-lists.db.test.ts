import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { databaseKind } from '../support/database-kind.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { eventually } from '../support/eventually.ts';
import { startFakeUpstream } from '../support/fake-upstream.ts';

const MODELS = '{ models { id shutdownDate isListed state } }';

async function start(...options: Parameters<typeof startTestApp>): Promise<TestApp> {
  const app = await startTestApp(...options);
  onTestFinished(() => app.stop());
  return app;
}

async function modelOf({ query }: Pick<TestApp, 'query'>, id: string) {
  const { data, errors } = await query(MODELS);
  expect(errors).toBeUndefined();
  return data.models.find((model: { id: string }) => model.id === id);
}

const messagesOf = ({ logged }: TestApp) =>
  logged.map((line): { level: string; msg: string } => JSON.parse(line));
const warningsOf = (app: TestApp) =>
  messagesOf(app).flatMap(({ level, msg }) =>
    level === 'warn' && msg.includes('DEFAULT_MODEL') ? [msg] : [],
  );
const readings = (app: TestApp) =>
  messagesOf(app).filter(({ msg }) => /read the list of models/.test(msg)).length;

describe.runIf(hasDatabase)('the lists of models', () => {
  test('are read at the start, and shown', async () => {
    const app = await start();
    await eventually(async () =>
      expect(await modelOf(app, 'gpt-image-2')).toEqual({
        id: 'gpt-image-2',
        shutdownDate: null,
        isListed: true,
        state: 'AVAILABLE',
      }),
    );
    expect(app.sandbox.stats()).toMatchObject({ requests: 0, paid: 0 });
  });

  test('are read again at the next start, when the default model may be gone: a warning names another', async () => {
    const app = await start({ DEFAULT_MODEL: 'gpt-image-2' });
    await eventually(async () =>
      expect(await modelOf(app, 'gpt-image-2')).toMatchObject({ isListed: true }),
    );
    expect(warningsOf(app)).toEqual([]);
    app.sandbox.models.set([{ id: 'gpt-image-2.5-flare', shutdown_date: '2100-01-01' }]);
    await app.restart();
    const gone = { isListed: false, state: 'RETIRED' };
    await eventually(async () => expect(await modelOf(app, 'gpt-image-2')).toMatchObject(gone));
    await eventually(() =>
      expect(warningsOf(app)).toEqual([
        'the default model gpt-image-2 is in no list of the upstreams that serve it: set DEFAULT_MODEL to gpt-image-2.5-flare',
      ]),
    );
    expect(await modelOf(app, 'gpt-image-2.5-flare')).toMatchObject({
      shutdownDate: '2100-01-01',
      state: 'AVAILABLE',
    });
  });

  test('are known from the last time at a start without the upstream, which is not waited for', async () => {
    const app = await start();
    await eventually(async () =>
      expect(await modelOf(app, 'gpt-image-2')).toMatchObject({ isListed: true }),
    );
    await app.sandbox.stop();
    const before = readings(app);
    await app.restart();
    expect(await modelOf(app, 'gpt-image-2')).toMatchObject({ isListed: true });
    await eventually(() => expect(readings(app)).toBe(before + 1));
    expect(await modelOf(app, 'gpt-image-2')).toMatchObject({ isListed: true });
  });

  test('of a server without one are not known, and harm nothing', async () => {
    const upstream = await startFakeUpstream();
    onTestFinished(() => upstream.close());
    upstream.list = (res) => res.writeHead(200).end('<html>Welcome</html>');
    const app = await start({ EDITS_API_URL: upstream.url });
    await eventually(() => expect(readings(app)).toBe(1));
    expect(await modelOf(app, 'gpt-image-1')).toMatchObject({
      shutdownDate: '2026-10-23',
      isListed: null,
      state: 'AVAILABLE',
    });
    expect(warningsOf(app)).toEqual([]);
  });

  test('do not delay a shutdown', async () => {
    const upstream = await startFakeUpstream();
    onTestFinished(() => upstream.close());
    const asked = Promise.withResolvers<void>();
    upstream.list = () => asked.resolve();
    // Longer than the test may take.
    const app = await startTestApp({
      EDITS_API_URL: upstream.url,
      SHUTDOWN_GRACE_SECONDS: '3600',
    });
    await asked.promise;
    await app.stop();
    expect(readings(app)).toBe(0);
  });

  test('are kept for each upstream of several', async () => {
    const file = join(await temporaryDirectory(), 'upstreams.json');
    const other = await startFakeUpstream();
    onTestFinished(() => other.close());
    other.list = (res) => res.end(JSON.stringify({ data: [{ id: 'gpt-image-2' }] }));
    const app = await start(async () => {
      const entry = { url: other.url, key: 'k' };
      await writeFile(
        file,
        JSON.stringify([
          { ...entry, name: 'one', models: ['gpt-image-2'] },
          { ...entry, name: 'two', models: ['gpt-image-2.5-flare'] },
        ]),
      );
      return { EDITS_API_URL: '', EDITS_API_KEY: '', EDITS_API_FILE: file };
    });
    await eventually(async () =>
      expect(await modelOf(app, 'gpt-image-2.5-flare')).toMatchObject({ isListed: false }),
    );
    expect(await modelOf(app, 'gpt-image-2')).toMatchObject({ isListed: true });
    expect(other.listings).toBe(2);
  });

  test('are read by workers only, and known to an API without one', async ({ skip }) => {
    if (databaseKind() === 'pglite') skip('an API alone needs a Postgres server');
    const upstream = await startFakeUpstream();
    onTestFinished(() => upstream.close());
    upstream.list = (res) => res.end(JSON.stringify({ data: [{ id: 'gpt-image-2' }] }));
    const env = { EDITS_API_URL: upstream.url, ALLOW_ANONYMOUS: 'true' };
    const app = await start({ ...env, ROLE: 'api' });
    expect(await modelOf(app, 'gpt-image-2')).toMatchObject({ isListed: null });
    expect(upstream.listings).toBe(0);
    await app.startAnother({ ROLE: 'worker' });
    await eventually(async () =>
      expect(await modelOf(app, 'gpt-image-2')).toMatchObject({ isListed: true }),
    );
    expect(upstream.listings).toBe(1);
  });
});
