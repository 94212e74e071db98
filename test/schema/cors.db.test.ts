import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { send } from '../support/http.ts';
import { EDIT } from '../support/operations.ts';
import { png } from '../support/test-images.ts';

const LISTED = 'https://app.example.com';
const UNLISTED = ['https://evil.example', 'https://app.example.com.evil.example', 'null'];
const ALLOWED = {
  'access-control-allow-origin': LISTED,
  vary: expect.stringMatching(/^Origin(, Accept-Encoding)?$/),
};

describe.runIf(hasDatabase)('pages of other origins', () => {
  let app: TestApp;
  let pictureUrl: string;
  beforeAll(async () => {
    app = await startTestApp({ CORS_ORIGINS: `${LISTED}, http://localhost:5173` });
    const { data } = await app.upload(
      EDIT,
      { input: { images: [{ file: null }], prompt: 'for a page' } },
      { 'input.images.0.file': await png() },
    );
    pictureUrl = data.editImage.editJob.outputImages[0].url;
  });
  afterAll(() => app?.stop());

  const ask = (origin: string) =>
    send(`${app.url}/graphql`, {
      method: 'POST',
      headers: { origin, 'content-type': 'application/json' },
      body: Buffer.from('{ "query": "{ __typename }" }'),
    });
  const preflight = (url: string, origin: string, method = 'POST') =>
    send(url, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': method },
    });

  test('read answers and images where they are listed, without credentials', async () => {
    for (const { status, headers } of [
      await ask(LISTED),
      await send(pictureUrl, { headers: { origin: LISTED } }),
      await send(`${pictureUrl}?w=256`, { headers: { origin: LISTED } }),
    ]) {
      expect(status).toBe(200);
      expect(headers).toMatchObject(ALLOWED);
      expect(headers['access-control-expose-headers']).toContain('retry-after');
      expect(headers).not.toHaveProperty('access-control-allow-credentials');
    }
  });

  test('read refusals too, where they are listed', async () => {
    const { status, headers } = await send(`${app.url}/graphql`, {
      method: 'POST',
      headers: { origin: LISTED, 'content-type': 'text/plain' },
      body: Buffer.from('{ "query": "{ __typename }" }'),
    });
    expect(status).toBe(403);
    expect(headers).toMatchObject(ALLOWED);
  });

  test.each([
    ['/graphql', 'POST'],
    ['/images/x', 'GET'],
    ['/export/edits.csv', 'GET'],
  ])('may ask before they send to %s, where they are listed', async (path, method) => {
    const { status, headers, body } = await preflight(`${app.url}${path}`, LISTED, method);
    expect(status).toBe(204);
    expect(headers).toMatchObject({
      ...ALLOWED,
      'access-control-allow-methods': 'GET, HEAD, POST',
      'access-control-allow-headers': 'authorization, *',
      'access-control-max-age': '7200',
    });
    expect(body).toHaveLength(0);
  });

  test.each(UNLISTED)('get no leave where they are not: %s', async (origin) => {
    for (const { headers } of [
      await ask(origin),
      await send(pictureUrl, { headers: { origin } }),
      await preflight(`${app.url}/graphql`, origin),
      await preflight(pictureUrl, origin, 'GET'),
    ]) {
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
      expect(headers.vary).toMatch(/^Origin(, |$)/);
    }
  });

  test('open WebSockets where they are listed', async () => {
    const socket = open(app, LISTED);
    await once(socket, 'open');
    socket.close();
    await once(socket, 'close');
  });

  test.each(UNLISTED)('open none where they are not: %s', async (origin) => {
    const [error] = await once(open(app, origin), 'error');
    expect(String(error)).toContain('403');
  });

  test('get nothing at all from a service with an empty list', async () => {
    const closed = await startTestApp();
    try {
      const { headers } = await preflight(`${closed.url}/graphql`, LISTED);
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
    } finally {
      await closed.stop();
    }
  });
});

function open(app: TestApp, origin: string): WebSocket {
  const url = `${app.url.replace('http', 'ws')}/graphql`;
  return new WebSocket(url, 'graphql-transport-ws', { origin });
}
