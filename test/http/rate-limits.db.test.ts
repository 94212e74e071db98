import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { limitsOf, setLimit } from '../support/limit-operations.ts';
import { inOneMinute } from '../support/one-minute.ts';

const LIMITED = { measure: 'REQUESTS' };

describe.runIf(hasDatabase)('a limit of requests', { timeout: 60_000 }, () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startTestApp();
  });
  beforeEach(() => inOneMinute());
  afterAll(() => app?.stop());

  const get = (path: string, init?: RequestInit) => fetch(`${app.url}${path}`, init);
  const post = (path: string) =>
    get(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"query":"{ __typename }"}',
    });

  test('is shown by no header without a limit', async () => {
    const { headers } = await post('/graphql');
    expect([headers.get('ratelimit'), headers.get('ratelimit-policy')]).toEqual([null, null]);
  });

  test('rejects what exceeds it on every route, with headers that say when to retry', async () => {
    expect(await setLimit(app, { ...LIMITED, amount: '0' })).toMatchObject({ code: 'TOO_SMALL' });
    await setLimit(app, { ...LIMITED, amount: '3' });
    await eventually(async () => {
      const { headers } = await post('/graphql');
      expect(headers.get('ratelimit-policy')).toBe('"owner";q=3;w=60');
    });
    await eventually(async () => expect((await post('/graphql')).status).toBe(429));
    const routes: [string, RequestInit?][] = [
      ['/graphql?query=%7B__typename%7D', { headers: { 'graphql-require-preflight': '1' } }],
      ['/graphql/subgraph', { method: 'POST', body: '{}' }],
      ['/schema.graphql'],
      ['/images', { method: 'POST', body: 'x' }],
      ['/images/SW1hZ2U6eA'],
      ['/export/edits'],
      ['/nothing'],
    ];
    for (const [path, init] of routes) {
      const response = await get(path, init);
      expect([path, response.status]).toEqual([path, 429]);
      const { errors } = (await response.json()) as { errors: { extensions: object }[] };
      expect(errors[0]?.extensions).toMatchObject({
        code: 'LIMIT_EXCEEDED',
        measure: 'REQUESTS',
        limit: '3',
        used: '3',
        remaining: '0',
      });
      const seconds = Number(response.headers.get('retry-after'));
      const leftMs = 60_000 - (Date.now() % 60_000);
      expect(seconds * 1_000).toBeGreaterThanOrEqual(leftMs);
      expect(seconds).toBeLessThanOrEqual(60);
      expect(response.headers.get('ratelimit')).toMatch(/^"owner";r=0;t=\d+$/);
    }
    // Without credentials, and for orchestrators.
    expect((await get('/health/live')).status).toBe(200);
    expect((await get('/graphql', { headers: { accept: 'text/html' } })).status).toBe(200);
    await app.withDatabase((prisma) => prisma.limit.deleteMany());
  });

  test('counts each operation of a WebSocket', async () => {
    await setLimit(app, { ...LIMITED, amount: '3' });
    await eventually(async () => expect(await limitsOf(app)).toHaveLength(1));
    const socket = new WebSocket(
      `${app.url.replace('http', 'ws')}/graphql`,
      'graphql-transport-ws',
    );
    const messages: { type: string; id?: string; payload?: unknown }[] = [];
    socket.on('message', (data) => messages.push(JSON.parse(String(data))));
    await once(socket, 'open');
    socket.send('{"type":"connection_init"}');
    await eventually(async () => expect(messages).toHaveLength(1));
    for (let i = 0; i < 5; i += 1) {
      const payload = { query: '{ __typename }' };
      socket.send(JSON.stringify({ id: `${i}`, type: 'subscribe', payload }));
      await eventually(async () => expect(messages.some(({ id }) => id === `${i}`)).toBe(true));
    }
    const errors = messages.filter(({ type }) => type === 'error');
    expect(errors.length).toBeGreaterThanOrEqual(2);
    expect(errors[0]?.payload).toMatchObject([{ extensions: { code: 'LIMIT_EXCEEDED' } }]);
    socket.close();
    await once(socket, 'close');
    await app.withDatabase((prisma) => prisma.limit.deleteMany());
  });
});
