import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  inject,
  onTestFinished,
  test,
} from 'vitest';
import WebSocket from 'ws';
import { startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { insertForeignRows } from '../support/foreign-rows.ts';
import { EDIT } from '../support/operations.ts';
import { connectTo } from '../support/sql-client.ts';
import { APOLLO, SSE, SUBSCRIBERS } from '../support/subscriptions.ts';
import { png } from '../support/test-images.ts';

const WATCH = 'subscription ($id: ID!) { editJob(id: $id) { __typename editJob { id status } } }';
const WATCH_ALL =
  'subscription { editJobs { __typename ... on EditJobUpdate { editJob { id status } } } }';

describe.runIf(hasDatabase)('the lines of subscriptions', () => {
  let app: TestApp;
  let imageId: string;

  let foreign: ReturnType<typeof insertForeignRows> | undefined;
  /** Edits that run until they are canceled. */
  const running: string[] = [];

  async function start() {
    app = await startTestApp({ SHUTDOWN_GRACE_SECONDS: '0' });
    const uploaded = await app.upload(
      'mutation ($file: Upload!) { uploadImage(input: { file: $file }) { ... on UploadImagePayload { image { id } } } }',
      { file: null },
      { file: await png(64, 64) },
    );
    imageId = uploaded.data.uploadImage.image.id;
  }

  beforeAll(start);
  afterEach(async () => {
    for (const id of running.splice(0)) await cancel(id);
    await eventually(() => expect(subscribers() ?? 0).toBe(0));
  });
  afterAll(() => app?.stop());

  async function edit(): Promise<string> {
    const { data } = await app.query(EDIT, {
      input: { images: [{ id: imageId }], prompt: 'a hat', wait: 0 },
    });
    return data.editImage.editJob.id;
  }
  const cancel = (id: string) =>
    app.query('mutation ($id: ID!) { cancelEdit(input: { id: $id }) { __typename } }', { id });
  async function hanging(): Promise<string> {
    const before = app.sandbox.stats().requests;
    app.sandbox.faults.push({ kind: 'hang' });
    const id = await edit();
    running.push(id);
    await eventually(() => expect(app.sandbox.stats().requests).toBe(before + 1));
    return id;
  }
  /** As the service logs it. */
  const subscribers = () =>
    app.logged.flatMap((line) => JSON.parse(line).subscribers ?? []).at(-1) as number | undefined;

  // An embedded database has one process, and no line to cut.
  describe.runIf(inject('databaseKind') === 'postgres')('over processes', () => {
    const others: { app: TestApp; imageId: string }[] = [];
    beforeEach(async () => {
      others.push({ app, imageId });
      await start();
    });
    afterEach(async () => {
      await app.stop();
      ({ app, imageId } = others.pop() ?? { app, imageId });
    });

    test('a subscriber at another process sees the edit to its end', async () => {
      const other = await app.startAnother({ MAX_CONCURRENT_EDITS: '1' });
      const id = await hanging();
      const results = SSE.subscribe(other.url, WATCH, { id });
      const first = await results.next();
      expect(first.value.data.editJob).toMatchObject({
        __typename: 'EditJobSnapshot',
        editJob: { status: 'RUNNING' },
      });
      await cancel(id);
      const rest = await Array.fromAsync(results, ({ data }) => data.editJob.editJob.status);
      // The same state may be told twice, also of what was before it subscribed.
      expect([...new Set(rest)].filter((status) => status !== 'RUNNING')).toEqual(['CANCELED']);
    });

    test('after its line to Postgres was cut, a subscriber misses nothing that matters', async () => {
      const client = await connectTo(app.databaseUrl ?? '');
      const id = await hanging();
      const one = SSE.subscribe(app.url, WATCH, { id });
      const all = SSE.subscribe(app.url, WATCH_ALL);
      await one.next();
      await all.next();
      // The end comes while nobody listens, and without a notification at all.
      await client.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE query LIKE '%LISTEN%' AND pid <> pg_backend_pid() AND datname = current_database()`,
      );
      await client.query(
        `UPDATE "EditJob" SET status = 'FAILED', "finishedAt" = now(), "errorCode" = 'INTERNAL'`,
      );
      await client.end();
      const rest = await Array.fromAsync(one);
      expect(rest.map(({ data }) => data.editJob.editJob)).toEqual([{ id, status: 'FAILED' }]);
      const { value } = await all.next();
      expect(value.data.editJobs.editJob).toEqual({ id, status: 'FAILED' });
      await all.return?.();
    });
  });

  describe.each(SUBSCRIBERS)('by $name', (subscriber) => {
    test('are freed when a client goes away', async () => {
      const id = await hanging();
      const results = [WATCH, WATCH_ALL].map((query) =>
        subscriber.subscribe(app.url, query, query === WATCH ? { id } : {}),
      );
      for (const one of results) await one.next();
      expect(subscribers()).toBe(2);
      for (const one of results) await one.return?.();
      await eventually(() => expect(subscribers()).toBe(0));
    });

    test('never tell of somebody else’s edits', async () => {
      foreign ??= insertForeignRows(app);
      const { job } = await foreign;
      const [refused] = await Array.fromAsync(subscriber.subscribe(app.url, WATCH, { id: job }));
      expect(refused?.errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
      const mine = await hanging();
      const all = subscriber.subscribe(app.url, WATCH_ALL);
      expect((await all.next()).value.data.editJobs.editJob.id).toBe(mine);
      await all.return?.();
    });
  });

  test('are freed when the connection of a client breaks', async () => {
    const id = await hanging();
    const req = request(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    });
    req.on('error', () => {});
    req.end(JSON.stringify({ query: WATCH, variables: { id } }));
    const [res] = await once(req, 'response');
    res.on('error', () => {});
    await once(res, 'data');
    await eventually(() => expect(subscribers()).toBe(1));
    req.destroy();
    await eventually(() => expect(subscribers()).toBe(0));
  });

  test('send something on a silent line, so that proxies keep it', async () => {
    const id = await hanging();
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: WATCH, variables: { id } }),
    });
    let text = '';
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      // Yoga's pings come every 300 ms in tests, every 12 s else.
      if (text.includes('event: next') && text.endsWith('\n\n:\n\n')) break;
    }
    expect(text).toMatch(/^:\n\n/);
  });

  test('open by GET with a CSRF header, and not without', async () => {
    const id = await hanging();
    const url = `${app.url}/graphql?${new URLSearchParams({ query: WATCH, variables: JSON.stringify({ id }) })}`;
    const headers = { accept: 'text/event-stream' };
    const refused = await fetch(url, { headers });
    expect(refused.status).toBe(403);
    await refused.body?.cancel();
    const aborting = new AbortController();
    const response = await fetch(url, {
      headers: { ...headers, 'graphql-require-preflight': '1' },
      signal: aborting.signal,
    });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    aborting.abort();
  });

  test('answer a request that Apollo’s protocol alone is accepted for in that protocol', async () => {
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'multipart/mixed;subscriptionSpec=1.0',
      },
      body: JSON.stringify({ query: 'subscription { nonsense }' }),
    });
    expect(response.headers.get('content-type')).toContain('subscriptionSpec="1.0"');
    const text = await response.text();
    expect(text).toContain('{"payload":{"errors":[{"message":');
    expect(text).not.toContain('"http"');
    expect(text.endsWith('\r\n--graphql--\r\n')).toBe(true);
    const query = APOLLO.subscribe(app.url, '{ models { id } }');
    expect((await query.next()).value.data.models).not.toEqual([]);
  });

  describe('as WebSockets', () => {
    const open = (
      path = '/graphql',
      headers: Record<string, string> = {},
      protocols = ['graphql-transport-ws'],
    ) => {
      const socket = new WebSocket(`${app.url.replace('http', 'ws')}${path}`, protocols, {
        headers,
      });
      socket.on('error', () => {});
      onTestFinished(() => socket.terminate());
      return socket;
    };
    const acknowledged = async () => {
      const socket = open();
      await once(socket, 'open');
      socket.send(JSON.stringify({ type: 'connection_init' }));
      await once(socket, 'message');
      return socket;
    };
    const refusal = async (socket: WebSocket) => {
      const [, response] = await once(socket, 'unexpected-response');
      return response.statusCode;
    };

    test('are refused to a page of another origin, and open to its own', async () => {
      for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1:1']) {
        expect(await refusal(open('/graphql', { origin }))).toBe(403);
      }
      await once(open('/graphql', { origin: app.url }), 'open');
      await once(open(), 'open');
    });

    test('are refused under a name that is not this machine’s, and on other paths', async () => {
      const host = 'rebound.example';
      expect(await refusal(open('/graphql', { host, origin: `http://${host}` }))).toBe(403);
      expect(await refusal(open('/images'))).toBe(404);
    });

    test('mask what goes wrong, and survive nonsense', async () => {
      const socket = await acknowledged();
      const messages: { type: string; id?: string; payload?: unknown }[] = [];
      socket.on('message', (data) => messages.push(JSON.parse(String(data))));
      for (const [id, query] of Object.entries({
        1: '{',
        2: '{ nonsense }',
        3: 'query A { viewer: __typename }',
      })) {
        socket.send(JSON.stringify({ type: 'subscribe', id, payload: { query } }));
      }
      await eventually(() =>
        expect(messages.find(({ type }) => type === 'complete')).toBeDefined(),
      );
      expect(messages).toContainEqual({
        type: 'next',
        id: '3',
        payload: { data: { viewer: 'Query' } },
      });
      for (const [id, code] of [
        ['1', 'GRAPHQL_PARSE_FAILED'],
        ['2', 'GRAPHQL_VALIDATION_FAILED'],
      ]) {
        const payload = [expect.objectContaining({ extensions: { code } })];
        expect(messages).toContainEqual({ type: 'error', id, payload });
      }
      socket.send('nonsense');
      const [code] = await once(socket, 'close');
      expect(code).toBe(4400);
      const tooLong = open();
      await once(tooLong, 'open');
      tooLong.send('x'.repeat(2 * 1024 * 1024 + 1));
      expect((await once(tooLong, 'close'))[0]).toBe(1009);
      const [error] = await once(open('/graphql', {}, ['graphql-ws']), 'error');
      expect(error.message).toContain('no subprotocol');
    });

    test('carry no more operations than they may', async () => {
      const id = await hanging();
      const socket = await acknowledged();
      const answers = new Map<string, string>();
      socket.on('message', (data) => {
        const message = JSON.parse(String(data));
        answers.set(message.id, message.payload?.[0]?.extensions?.code ?? message.type);
      });
      for (let i = 1; i <= 101; i++) {
        const payload = { query: WATCH, variables: { id } };
        socket.send(JSON.stringify({ type: 'subscribe', id: String(i), payload }));
      }
      await eventually(() => expect(answers.get('101')).toBe('TOO_MANY_OPERATIONS'));
      await eventually(() => expect(subscribers()).toBe(100));
      socket.close();
      await eventually(() => expect(subscribers()).toBe(0));
    });

    test('leave the upgrades of others alone: they are plain requests', async () => {
      const { port } = new URL(app.url);
      const socket = connect(Number(port), '127.0.0.1');
      onTestFinished(() => void socket.destroy());
      socket.write(
        `GET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade, close\r\nupgrade: h2c\r\n\r\n`,
      );
      const text = (await Array.fromAsync(socket.setEncoding('utf8'))).join('');
      expect(text).toMatch(/^HTTP\/1\.1 200 /);
    });
  });
});
