import pg from 'pg';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { startApp } from '../../src/app/app.ts';
import { loadConfig } from '../../src/config/config.ts';
import { createLog } from '../../src/log.ts';
import { type GraphqlAnswer, startTestApp, type TestApp } from '../support/app.ts';
import { createTestDatabase, hasDatabase } from '../support/database.ts';
import { EMPTY_TEMPLATE, onServer, ROLE, urlOfRole } from '../support/hostile-role.ts';
import { EDIT } from '../support/operations.ts';
import { png } from '../support/test-images.ts';

const server = inject('postgresUrl') ?? '';

/** An empty database, which goes with the test. @returns its URL, by schema. */
async function createShared(name: string) {
  await onServer(
    server,
    `CREATE DATABASE ${name} TEMPLATE ${EMPTY_TEMPLATE}`,
    `GRANT CREATE ON DATABASE ${name} TO ${ROLE}`,
  );
  onTestFinished(() => onServer(server, `DROP DATABASE ${name} WITH (FORCE)`));
  return (schema: string) => urlOfRole(server, name, schema);
}

async function editAt(app: TestApp, prompt: string): Promise<string> {
  const input = { images: [{ file: null }], prompt };
  const { data } = await app.upload(EDIT, { input }, { 'input.images.0.file': await png() });
  expect(data.editImage.editJob.status).toBe('SUCCEEDED');
  return data.editImage.editJob.id;
}

const prompts = ({ data }: GraphqlAnswer) =>
  data.editJobs.edges.map(({ node }: { node: { prompt: { text: string } } }) => node.prompt.text);
const ALL = '{ editJobs { edges { node { prompt { text } } } } }';

describe.runIf(hasDatabase && inject('databaseKind') === 'postgres')('one database', () => {
  test('holds two installations, and neither sees or runs what the other has', async () => {
    const urlOf = await createShared(`retouch_shared_${process.pid}`);
    const open = (schema: string) => startTestApp(async () => ({ DATABASE_URL: urlOf(schema) }));
    const [one, other] = [await open('one'), await open('other')];
    onTestFinished(one.stop);
    onTestFinished(other.stop);
    const rounds = ['first', 'second', 'third'];
    await Promise.all(
      rounds.flatMap((round) => [editAt(one, `one ${round}`), editAt(other, `other ${round}`)]),
    );
    expect(prompts(await one.query(ALL)).toSorted()).toEqual(
      rounds.map((r) => `one ${r}`).toSorted(),
    );
    expect(prompts(await other.query(ALL)).toSorted()).toEqual(
      rounds.map((r) => `other ${r}`).toSorted(),
    );
    for (const app of [one, other]) {
      expect(app.sandbox.stats()).toMatchObject({ requests: 3, paid: 3 });
      expect(app.logged.filter((line) => line.includes('unknown notification'))).toEqual([]);
    }
  });

  test('takes two processes with the default pools in twenty connections', async () => {
    const database = await createTestDatabase();
    const role = `limited_${process.pid}`;
    await onServer(
      server,
      `CREATE ROLE ${role} LOGIN PASSWORD 'tester' CONNECTION LIMIT 20 IN ROLE ${ROLE}`,
    );
    const url = new URL(database.env['DATABASE_URL'] ?? '');
    url.username = role;
    const log = createLog({ level: 'silent' });
    const env = {
      DATA_DIR: database.dir,
      DATABASE_URL: url.href,
      PORT: '0',
      SANDBOX_DELAY_MS: '0',
    };
    onTestFinished(async () => {
      await database.drop();
      await onServer(server, `DROP ROLE ${role}`);
    });
    const apps = await Promise.all([1, 2].map(() => startApp({ config: loadConfig(env), log })));
    for (const app of apps) onTestFinished(app.stop);
    const watcher = new pg.Client({ connectionString: server });
    await watcher.connect();
    onTestFinished(() => watcher.end());

    const ask = async ({ url: at }: { url: string }) => {
      const response = await fetch(`${at}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          query: '{ editJobs { totalCount } prompts { totalCount } models { id } }',
        }),
      });
      return response.status;
    };
    const statuses = await Promise.all(
      Array.from({ length: 100 }, (_, i) => ask(apps[i % 2] ?? { url: '' })),
    );
    expect(new Set(statuses)).toEqual(new Set([200]));
    const { rows } = await watcher.query(
      'SELECT count(*)::int AS open FROM pg_stat_activity WHERE usename = $1',
      [role],
    );
    // Both were as busy as they get.
    expect(rows[0].open).toBeGreaterThan(2);
    expect(rows[0].open).toBeLessThanOrEqual(16);
  });
});
