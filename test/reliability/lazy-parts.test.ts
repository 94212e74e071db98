import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createTestDatabase, hasDatabase } from '../support/database.ts';
import { createGraphqlClient } from '../support/graphql-client.ts';
import { startService } from '../support/processes.ts';
import { png } from '../support/test-images.ts';

/** Libraries that only some processes need, and large ones. */
const LATER = [
  '@apollo/subgraph',
  '@aws-sdk/client-s3',
  '@prisma/schema-engine-wasm',
  'gpt-tokenizer',
  'jose',
  'prom-client',
  'sharp',
  'undici',
];
const RECORDER = fileURLToPath(new URL('../support/record-packages.ts', import.meta.url));

describe.runIf(hasDatabase)('a service', { timeout: 120_000 }, () => {
  /** One that runs on an empty database, with the packages that it has loaded so far. */
  async function start(env: Record<string, string> = {}) {
    const database = await createTestDatabase({ isMigrated: false });
    onTestFinished(() => database.drop());
    const file = join(database.dir, 'packages');
    const service = await startService(
      {
        ...database.env,
        NODE_OPTIONS: `--import ${RECORDER}`,
        LOADED_PACKAGES: file,
        SANDBOX_DELAY_MS: '0',
        ...env,
      },
      ({ kill }) => onTestFinished(kill),
    );
    const loaded = async () =>
      (await readFile(file, 'utf8')).split('\n').filter((name) => LATER.includes(name));
    return { ...service, loaded, client: createGraphqlClient(() => service.url) };
  }

  test('starts, and creates its tables, without what only some requests need', async () => {
    const { loaded } = await start();
    expect(await loaded()).toEqual([]);
  });

  test('loads what counts only with METRICS_PORT', async () => {
    const { loaded } = await start({ METRICS_PORT: '0' });
    expect(await loaded()).toEqual(['prom-client']);
  });

  test('builds the subgraph when it is first asked for', async () => {
    const { url, client, loaded } = await start();
    await client.query('{ viewer { id } }');
    expect(await loaded()).toEqual([]);
    const response = await fetch(`${url}/graphql/subgraph`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ _service { sdl } }' }),
    });
    expect(JSON.stringify(await response.json())).toContain('federation');
    expect(await loaded()).toEqual(['@apollo/subgraph']);
  });

  test('loads what decodes images for its first thumbnail, not for an upload', async () => {
    const { url, client, loaded } = await start();
    const id = await client.uploadImage(await png());
    expect(await loaded()).toEqual([]);
    expect((await fetch(`${url}/images/${id}?w=64`)).status).toBe(200);
    expect(await loaded()).toEqual(['sharp']);
  });

  test('draws in the sandbox with what its first edit loads', async () => {
    const { client, loaded } = await start();
    const { editJob } = await client.editUpload(await png(), { prompt: 'brighter', wait: 60 });
    expect(editJob.status).toBe('SUCCEEDED');
    expect(await loaded()).toEqual(expect.arrayContaining(['gpt-tokenizer', 'sharp', 'undici']));
  });

  test('starts where it cannot keep its compiled code', async () => {
    const { client } = await start({ NODE_COMPILE_CACHE: '/dev/null/none' });
    expect((await client.query('{ __typename }')).httpStatus).toBe(200);
  });
});
