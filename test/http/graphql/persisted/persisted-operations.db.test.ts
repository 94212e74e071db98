import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient } from 'graphql-ws';
import { afterEach, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { startTestApp, type TestApp } from '../../../support/app.ts';
import { hasDatabase } from '../../../support/database.ts';
import { temporaryDirectory } from '../../../support/directory.ts';
import { send } from '../../../support/http.ts';

const AUTH = {
  AUTH_HEADER: 'x-user',
  AUTH_HEADER_SCOPES: 'read,edit',
  TRUSTED_PROXIES: '127.0.0.1',
};
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

const LISTED = 'query Listed($first: Int) { editJobs(first: $first) { totalCount } }';
const LARGE = `query Large { ${Array.from({ length: 20 }, (_, i) => `a${i}: editJobs(first: 100) { nodes { inputImages { id producedBy(first: 100) { nodes { id } } } } }`).join(' ')} }`;
const WATCH = 'subscription Watch { editJob(id: "x") { editJobId } }';
const OTHER = 'query Other { viewer { id } }';
const LIST = { [sha256(LISTED)]: LISTED, md5: LISTED, large: LARGE, watch: WATCH };
const PERSISTED = {
  message: 'PersistedQueryNotFound',
  extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' },
};
const ONLY = { extensions: { code: 'PERSISTED_OPERATION_REQUIRED' } };

interface Request {
  readonly query?: string;
  readonly documentId?: string;
  readonly variables?: object;
  readonly extensions?: object;
}
const byHash = (sha256Hash: string, more: Request = {}): Request => ({
  ...more,
  extensions: { persistedQuery: { version: 1, sha256Hash } },
});

describe.runIf(hasDatabase)('persisted operations', () => {
  let app: TestApp;
  afterEach(() => app.stop());

  async function start(env: Record<string, string> = {}) {
    const path = join(await temporaryDirectory(), 'operations.json');
    await writeFile(path, JSON.stringify(LIST));
    app = await startTestApp({ ...AUTH, PERSISTED_OPERATIONS_FILE: path, ...env });
  }
  const startOnly = (scopes = 'read,edit') =>
    start({ PERSISTED_OPERATIONS_ONLY: 'true', AUTH_HEADER_SCOPES: scopes });

  async function post(request: Request, { path = '/graphql', accept = '*/*' } = {}) {
    const response = await send(`${app.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept, 'x-user': 'ann' },
      body: Buffer.from(JSON.stringify(request)),
    });
    const text = response.body.toString();
    const isJson = response.headers['content-type']?.includes('json') === true;
    return { status: response.status, text, ...(isJson ? JSON.parse(text) : {}) };
  }

  /** The first result, or the errors, of one operation over a WebSocket. */
  async function overSocket(request: Request, path = '/graphql') {
    class Socket extends WebSocket {
      constructor(url: string, protocol: string) {
        super(url, protocol, { headers: { 'x-user': 'ann' } });
      }
    }
    const client = createClient({
      url: app.url.replace('http', 'ws') + path,
      webSocketImpl: Socket,
      retryAttempts: 0,
    });
    try {
      for await (const result of client.iterate({ query: '', ...request } as never)) return result;
      return undefined;
    } catch (errors) {
      return { errors };
    } finally {
      await client.dispose();
    }
  }

  const transports = (path: string) =>
    [
      ['HTTP', (request: Request) => post(request, { path })],
      [
        'SSE',
        async (request: Request) => {
          const { text } = await post(request, { path, accept: 'text/event-stream' });
          return JSON.parse(/^data: (\{.*)$/m.exec(text)?.[1] ?? text);
        },
      ],
      ['WebSocket', (request: Request) => overSocket(request, path)],
    ] as const;
  const all = () => [...transports('/graphql'), ...transports('/graphql/subgraph')];
  const first = { variables: { first: 1 } };
  const data = { data: { editJobs: { totalCount: 0 } } };

  test('run by an id in the file, over every transport', async () => {
    await start();
    for (const [name, run] of all()) {
      for (const request of [
        byHash(sha256(LISTED), first),
        byHash('md5', first),
        { documentId: 'md5', ...first },
        { documentId: `sha256:${sha256(LISTED)}`, ...first },
      ]) {
        expect(await run(request), name).toMatchObject(data);
      }
      expect(await run(byHash('unknown')), name).toMatchObject({ errors: [PERSISTED] });
    }
  });

  test('run by GET, with a CSRF header', async () => {
    await start();
    const query = new URLSearchParams({
      variables: '{"first":1}',
      extensions: JSON.stringify({ persistedQuery: { version: 1, sha256Hash: 'md5' } }),
    });
    const headers = { 'x-user': 'ann', 'apollo-require-preflight': 'true' };
    const { body } = await send(`${app.url}/graphql?${query}`, { headers });
    expect(JSON.parse(body.toString())).toMatchObject(data);
  });

  test('are limited in size and cost like any other', async () => {
    await start();
    for (const [name, run] of all()) {
      const { errors } = (await run(byHash('large'))) as { errors: unknown };
      expect(errors, name).toMatchObject([{ extensions: { code: 'QUERY_TOO_LARGE' } }]);
    }
  });

  test('are registered by clients: the hash alone, then with the document, then alone again', async () => {
    await start();
    const hash = sha256(OTHER);
    const answered = { data: { viewer: { id: expect.any(String) } } };
    const unknown = await post(byHash(hash));
    expect(unknown).toMatchObject({ status: 200, errors: [PERSISTED] });
    expect(await post(byHash(hash, { query: OTHER }))).toMatchObject(answered);
    for (const [name, run] of transports('/graphql')) {
      expect(await run(byHash(hash)), name).toMatchObject(answered);
    }
    // A document that a WebSocket registered.
    const another = `${OTHER} # another`;
    const [, , [, socket]] = transports('/graphql');
    expect(await socket(byHash(sha256(another), { query: another }))).toMatchObject(answered);
    expect(await post(byHash(sha256(another)))).toMatchObject(answered);
  });

  test('are not registered under another document’s hash', async () => {
    await start();
    const mismatch = [{ extensions: { code: 'PERSISTED_QUERY_MISMATCH' } }];
    const hash = sha256(OTHER);
    for (const [name, run] of transports('/graphql')) {
      const query = '{ __typename }';
      expect(await run(byHash(hash, { query })), name).toMatchObject({ errors: mismatch });
      expect(await run(byHash(hash)), name).toMatchObject({ errors: [PERSISTED] });
    }
    expect((await post(byHash(hash, { query: '{ __typename }' }))).status).toBe(400);
  });

  test('are the only ones with PERSISTED_OPERATIONS_ONLY, over every transport', async () => {
    await startOnly();
    for (const [name, run] of all()) {
      expect(await run(byHash('md5', first)), name).toMatchObject(data);
      expect(await run({ query: LISTED, ...first }), name).toMatchObject(data);
      for (const query of [
        '{ __typename }',
        `${LISTED} # changed`,
        '{ __schema { types { name } } }',
      ]) {
        expect(await run({ query }), name).toMatchObject({ errors: [ONLY] });
        expect(await run(byHash(sha256(query), { query })), name).toMatchObject({ errors: [ONLY] });
        expect(await run(byHash('md5', { query })), name).toMatchObject({ errors: [ONLY] });
        expect(await run(byHash(sha256(query))), name).toMatchObject({ errors: [PERSISTED] });
      }
    }
    expect((await post({ query: OTHER })).status).toBe(403);
    // The subscription itself rejects the id.
    const absent = { errors: [{ message: expect.stringContaining('does not exist') }] };
    expect(await overSocket({ documentId: 'watch' })).toMatchObject(absent);
    expect(await overSocket({ query: `${WATCH} # changed` })).toMatchObject({ errors: [ONLY] });
  });

  test('do not limit an admin, whose GraphiQL introspects the schema', async () => {
    await startOnly('admin');
    for (const [name, run] of all()) {
      const query = '{ __schema { queryType { name } } }';
      const introspected = { data: { __schema: { queryType: { name: 'Query' } } } };
      expect(await run({ query }), name).toMatchObject(introspected);
    }
    expect(await post(byHash(sha256(OTHER), { query: OTHER }))).not.toHaveProperty('errors');
    expect(await post(byHash(sha256(OTHER)))).not.toHaveProperty('errors');
  });
});
