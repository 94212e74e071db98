import { rename } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { auditServer } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../../support/app.ts';
import { hasDatabase } from '../../support/database.ts';
import { png } from '../../support/test-images.ts';

describe.runIf(hasDatabase)('/graphql', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp();
  });
  afterAll(() => app?.stop());

  const ask = (init: RequestInit & { path?: string }) =>
    fetch(`${app.url}${init.path ?? '/graphql'}`, init);
  const json = { 'content-type': 'application/json' };

  test.each([
    ['a negative page', '{ editJobs(first: -1) { totalCount } }'],
    ['a cursor that is none', '{ editJobs(after: "garbage") { edges { cursor } } }'],
    ['a cursor of something else', '{ editJobs(after: "R1BDOlM6YWJj") { edges { cursor } } }'],
    ['a NUL in a filter', '{ editJobs(filter: { model: ["a\\u0000b"] }) { totalCount } }'],
  ])('%s is the client’s mistake, not ours', async (_, query) => {
    const { errors, httpStatus } = await app.query(query);
    expect(errors?.[0]?.extensions?.['code']).toBe('BAD_USER_INPUT');
    expect(httpStatus).toBeLessThan(500);
  });

  test('a variable that is missing is the client’s mistake, and is said to be', async () => {
    const { errors } = await app.query('query ($n: Int!) { editJobs(first: $n) { totalCount } }');
    expect(errors?.[0]?.message).toContain('"$n"');
    expect(errors?.[0]?.extensions?.['code']).toBe('BAD_USER_INPUT');
  });

  test.each([
    ['a cut body', '{"query":"{ __ty', 400],
    ['no JSON', 'query { a }', 400],
    ['a batch', '[{"query":"{ __typename }"}]', 400],
    ['no query', '{}', 200],
    [
      'a body that is too large',
      JSON.stringify({ query: '{ __typename }', x: 'x'.repeat(3_000_000) }),
      413,
    ],
  ])('%s is refused with an error that says so', async (_, body, status) => {
    const response = await ask({ method: 'POST', headers: json, body });
    expect(response.status).toBe(status);
    const { errors } = await response.json();
    expect(errors[0].message).not.toBe('');
  });

  test.each([
    ['a GET', { path: '/graphql?query=%7B__typename%7D' }],
    [
      'a form',
      {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: 'query={__typename}',
      },
    ],
    [
      'a text',
      {
        method: 'POST',
        headers: { 'content-type': 'text/plain' },
        body: '{"query":"{__typename}"}',
      },
    ],
    ['a multipart', { method: 'POST', body: new FormData() }],
  ])('%s that a browser sends unasked needs a CSRF header', async (_, init) => {
    const response = await ask(init);
    expect(response.status).toBe(403);
    const { errors } = await response.json();
    expect(errors[0].extensions.code).toBe('CSRF_PREVENTED');
    expect(errors[0].message).toContain('apollo-require-preflight');
  });

  test('a GET with a CSRF header queries, and never mutates', async () => {
    const headers = { 'graphql-require-preflight': '1', accept: 'application/json' };
    const query = await ask({ path: '/graphql?query=%7B__typename%7D', headers });
    expect(await query.json()).toEqual({ data: { __typename: 'Query' } });
    const mutation = encodeURIComponent(
      'mutation { editImage(input: { images: [], prompt: "p" }) { __typename } }',
    );
    const refused = await ask({ path: `/graphql?query=${mutation}`, headers });
    expect(refused.status).toBe(405);
    await refused.body?.cancel();
  });

  test('no origin but its own may read an answer', async () => {
    const response = await ask({
      method: 'POST',
      headers: { ...json, origin: 'https://evil.example' },
      body: '{"query":"{ __typename }"}',
    });
    expect(
      [...response.headers.keys()].filter((name) => name.startsWith('access-control-')),
    ).toEqual([]);
    await response.body?.cancel();
    const preflight = await ask({
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    });
    expect(preflight.headers.get('access-control-allow-origin')).toBeNull();
    await preflight.body?.cancel();
  });

  test('a name that was pointed at the loopback address is not served', async () => {
    const status = await new Promise((resolve, reject) => {
      request(`${app.url}/graphql`, { headers: { host: 'evil.example' } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(status).toBe(403);
  });

  test('a browser gets GraphiQL, from this server alone', async () => {
    const response = await ask({ headers: { accept: 'text/html' } });
    expect(response.headers.get('content-type')).toContain('text/html');
    const page = await response.text();
    expect(page).toContain('Retouch');
    expect(page).not.toMatch(/<(script|link)[^>]+(src|href)="https?:\/\//);
  });

  test('what fails inside is logged and not told, and an image store that is gone is not ready', async () => {
    const { errors } = await app.query('{ models { id } __typename nothing }');
    expect(errors?.[0]?.extensions?.['code']).toBe('GRAPHQL_VALIDATION_FAILED');
    const { data } = await app.upload(
      'mutation($f: Upload!) { uploadImage(input: { file: $f }) { ... on UploadImagePayload { image { id } } } }',
      { f: null },
      { f: await png() },
    );
    const blobs = join(app.dir, 'blobs');
    await rename(blobs, `${blobs}.away`);
    const ready = await ask({ path: '/health/ready' });
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({ status: 'not ready', storage: false });
    const broken = await app.query('query($id: ID!) { image(id: $id) { b64Json } }', {
      id: data.uploadImage.image.id,
    });
    expect(broken.errors).toMatchObject([
      { message: 'Unexpected error.', extensions: { code: 'INTERNAL_SERVER_ERROR' } },
    ]);
    expect(app.logged.join('')).toContain('ENOENT');
    await rename(`${blobs}.away`, blobs);
  });

  test('speaks GraphQL over HTTP as its audits ask', async () => {
    const results = await auditServer({
      url: `${app.url}/graphql`,
      fetchFn: (url: string, init: RequestInit = {}) =>
        fetch(url, {
          ...init,
          headers: { ...init.headers, 'graphql-require-preflight': '1' },
        }),
    });
    const missed = results.filter(({ status }) => status !== 'ok');
    expect(missed.map(({ name }) => name)).toEqual([]);
    expect(results.length).toBeGreaterThanOrEqual(61);
  });

  test('live and ready say so, and an unknown path is not there', async () => {
    expect((await ask({ path: '/health/live' })).status).toBe(200);
    expect(await (await ask({ path: '/health/ready' })).json()).toEqual({
      status: 'ready',
      database: true,
      storage: true,
      queue: true,
    });
    expect((await ask({ path: '/nothing' })).status).toBe(404);
  });
});
