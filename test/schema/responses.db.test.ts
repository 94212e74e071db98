import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { filesIn } from '../support/directory.ts';
import { type Answer, send } from '../support/http.ts';
import { EDIT } from '../support/operations.ts';
import { png } from '../support/test-images.ts';

const LISTED = 'https://app.example.com';
const LONG = '{ __schema { types { name description } } }';

describe.runIf(hasDatabase)('a response', () => {
  let app: TestApp;
  let imageUrl: string;
  beforeAll(async () => {
    app = await startTestApp({ TRUSTED_PROXIES: '127.0.0.1', CORS_ORIGINS: LISTED });
    const { data } = await app.upload(
      EDIT,
      { input: { images: [{ file: null }], prompt: 'for a page' } },
      { 'input.images.0.file': await png() },
    );
    imageUrl = data.editImage.editJob.outputImages[0].url;
  });
  afterAll(() => app?.stop());

  const ask = (query: string, headers: Record<string, string> = {}) =>
    send(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: Buffer.from(JSON.stringify({ query })),
    });

  test.each([
    ['br, gzip', 'br', brotliDecompressSync],
    ['gzip', 'gzip', gunzipSync],
    ['gzip, br;q=0', 'gzip', gunzipSync],
  ] as const)('of 1 kB or more is compressed for %s', async (accepted, encoding, decode) => {
    const plain = await ask(LONG);
    const { status, headers, body } = await ask(LONG, { 'accept-encoding': accepted });
    expect(status).toBe(200);
    expect(headers).toMatchObject({ 'content-encoding': encoding });
    expect(headers.vary).toContain('Accept-Encoding');
    expect(headers).not.toHaveProperty('content-length');
    expect(body.length).toBeLessThan(plain.body.length / 2);
    expect(decode(body).equals(plain.body)).toBe(true);
    expect(plain.headers).not.toHaveProperty('content-encoding');
    expect(plain.headers.vary).toContain('Accept-Encoding');
  });

  test('that is small, an image, a part of one, an export or an error is not compressed', async () => {
    const headers = { 'accept-encoding': 'br, gzip' };
    const part = { ...headers, range: 'bytes=0-1499' };
    for (const [answer, status] of [
      [await ask('{ __typename }', headers), 200],
      [await ask('{ nothing }', headers), 200],
      [await send(imageUrl, { headers }), 200],
      [await send(imageUrl, { headers: part }), 206],
      [await send(`${app.url}/export/edits?format=csv`, { headers }), 200],
      [await send(`${app.url}/nothing`, { headers }), 404],
    ] as const) {
      expect(answer.status).toBe(status);
      expect(answer.headers).not.toHaveProperty('content-encoding');
    }
  });

  test('that is a stream is neither compressed nor held back by a proxy', async () => {
    const query = 'subscription { editJobs { __typename } }';
    for (const accept of ['text/event-stream', 'multipart/mixed;subscriptionSpec=1.0']) {
      const gone = new AbortController();
      const { headers } = await fetch(`${app.url}/graphql`, {
        method: 'POST',
        headers: { accept, 'content-type': 'application/json', 'accept-encoding': 'br, gzip' },
        body: JSON.stringify({ query }),
        signal: gone.signal,
      });
      gone.abort();
      expect(headers.get('content-type')).toMatch(/^(text\/event-stream|multipart\/mixed)/);
      expect(headers.get('content-encoding')).toBeNull();
      expect(headers.get('x-accel-buffering')).toBe('no');
      expect(headers.get('cache-control')).toBe('no-store');
    }
    const { headers } = await send(`${app.url}/export/edits`);
    expect(headers['x-accel-buffering']).toBe('no');
  });

  test('of GraphQL is neither stored nor taken for anything else', async () => {
    for (const query of ['{ __typename }', '{ nothing }', '{']) {
      expect((await ask(query)).headers).toMatchObject({
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      });
    }
  });

  test('tells how long a connection stays open: longer than proxies use theirs', async () => {
    const { headers } = await send(`${app.url}/graphql`, {
      method: 'POST',
      headers: { connection: 'keep-alive' },
    });
    expect(headers['keep-alive']).toBe('timeout=75');
  });

  test('to GET /schema.graphql is the schema as text, and 304 where it is known', async () => {
    const url = `${app.url}/schema.graphql`;
    const { status, headers, body } = await send(url);
    expect([status, headers['content-type']]).toEqual([200, 'text/plain; charset=utf-8']);
    expect(body.toString()).toContain('type Mutation {\n');
    // Below the 60 s of proxies.
    expect(body.toString()).toContain('wait for the result: 0 to 600, default 50 (');
    const known = await send(url, { headers: { 'if-none-match': headers.etag ?? '' } });
    expect([known.status, known.body.length]).toEqual([304, 0]);
    expect((await send(url, { method: 'HEAD' })).headers['content-length']).toBe(`${body.length}`);
    expect((await send(url, { method: 'POST' })).status).toBe(405);
  });

  test('has links as a trusted proxy was asked', async () => {
    const { body } = await ask('{ editJobs { edges { node { outputImages { url } } } } }', {
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'retouch.example:8443',
    });
    const [{ node }] = JSON.parse(body.toString()).data.editJobs.edges;
    expect(node.outputImages[0].url).toMatch(/^https:\/\/retouch\.example:8443\/images\//);
  });

  /** As a browser sends it for a page of another site. */
  const crossSite = (mode: string, dest: string, more: Record<string, string> = {}) => ({
    'sec-fetch-site': 'cross-site',
    'sec-fetch-mode': mode,
    'sec-fetch-dest': dest,
    ...more,
  });
  const reads = (headers: Record<string, string>): Promise<Answer[]> =>
    Promise.all([
      send(imageUrl, { headers }),
      send(`${imageUrl}?w=256`, { headers }),
      send(`${app.url}/export/edits`, { headers }),
    ]);

  test.each([
    ['embeds it as an image', crossSite('no-cors', 'image')],
    ['embeds it as a script', crossSite('no-cors', 'script')],
    ['fetches it blindly', crossSite('no-cors', 'empty')],
    ['embeds it as an object', crossSite('navigate', 'object')],
    [
      'is not listed and asks by CORS',
      crossSite('cors', 'empty', { origin: 'https://evil.example' }),
    ],
  ])('is 403 for a page of another site that %s', async (_, headers) => {
    for (const { status, body } of await reads(headers)) {
      expect(status).toBe(403);
      expect(JSON.parse(body.toString()).errors[0].extensions.code).toBe('FORBIDDEN_ORIGIN');
    }
  });

  test.each([
    ['a link on another site', crossSite('navigate', 'document')],
    ['a listed page that asks by CORS', crossSite('cors', 'empty', { origin: LISTED })],
    ['the service’s own page', { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'no-cors' }],
    ['an address that was typed', { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }],
    ['what is no browser', {}],
  ])('is what was asked for by %s', async (_, headers) => {
    for (const { status } of await reads(headers as Record<string, string>)) {
      expect(status).toBe(200);
    }
  });

  test('of an edits API is kept where nobody else can read it, and so are images', async () => {
    app.sandbox.faults.push({ kind: 'html' });
    await app.upload(
      EDIT,
      { input: { images: [{ file: null }], prompt: 'not answered by images' } },
      { 'input.images.0.file': await png(80, 60) },
    );
    const modeOf = async (path: string) =>
      ((await stat(join(app.dir, path))).mode & 0o777).toString(8);
    for (const dir of ['answers', 'staging', 'blobs'])
      expect([dir, await modeOf(dir)]).toEqual([dir, '700']);
    // The answer is among the blobs, as no image could be read from it.
    const files = await filesIn(join(app.dir, 'blobs'));
    expect(files.some((file) => file.includes('/answers/'))).toBe(true);
    for (const file of files) expect((await stat(file)).mode & 0o777).toBe(0o600);
  });
});
