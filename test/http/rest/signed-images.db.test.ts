import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import {
  createSecretKey,
  createSecretKeys,
  parseSecretKey,
} from '../../../src/config/secret-key.ts';
import { idOf } from '../../../src/public-ids/global-id.ts';
import { createImageLinks } from '../../../src/public-ids/image-links.ts';
import { startTestApp, type TestApp } from '../../support/app.ts';
import { hasDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { send } from '../../support/http.ts';
import { EDIT } from '../../support/operations.ts';
import { png } from '../../support/test-images.ts';
import { receiveWebhooks } from '../../support/webhook-receiver.ts';

const AUTH = {
  AUTH_HEADER: 'x-user',
  AUTH_HEADER_SCOPES: 'read,edit',
  TRUSTED_PROXIES: '127.0.0.1',
};
const URLS = /* GraphQL */ `
  query Urls($id: ID!, $expiresIn: Int, $width: Int) {
    image(id: $id) {
      url(expiresIn: $expiresIn)
      thumbnailUrl(width: $width, expiresIn: $expiresIn)
    }
  }
`;
const DAY_MS = 24 * 60 * 60 * 1_000;
const CROSS_SITE = {
  'sec-fetch-site': 'cross-site',
  'sec-fetch-mode': 'no-cors',
  'sec-fetch-dest': 'image',
};

describe.runIf(hasDatabase)('URLs of images', () => {
  const key = randomBytes(32).toString('base64');
  let app: TestApp;
  afterEach(() => app.stop());

  async function start(env: Record<string, string> = {}) {
    app = await startTestApp({ ...AUTH, SECRET_KEY: key, ...env });
  }

  async function query(text: string, variables: object = {}, user = 'ann') {
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-user': user },
      body: JSON.stringify({ query: text, variables }),
    });
    return response.json();
  }

  async function upload(bytes: Uint8Array = Buffer.alloc(0), user = 'ann') {
    const body = bytes.length > 0 ? bytes : await png();
    const headers = { 'content-type': 'image/png', 'x-user': user };
    const {
      status,
      headers: got,
      body: json,
    } = await send(`${app.url}/images`, {
      method: 'POST',
      headers,
      body,
    });
    expect(status).toBe(201);
    return { ...JSON.parse(json.toString()), location: got.location };
  }

  const urlsOf = async (id: string, variables: object = {}) =>
    (await query(URLS, { id, ...variables })).data.image as { url: string; thumbnailUrl: string };

  /** The URL as this service signed it at another time. */
  function signedAt(at: Date, globalId: string, secret = key): string {
    const keys = createSecretKeys(createSecretKey(parseSecretKey(secret) ?? Buffer.alloc(0)));
    const links = createImageLinks({ keys, lastingSeconds: 60, now: () => at });
    return links.url(app.url, idOf('Image', globalId) ?? '');
  }

  test('are signed with authentication, and load in any page without credentials', async () => {
    await start();
    const { id, url: uploaded, location, bytes } = await upload();
    const { url, thumbnailUrl } = await urlsOf(id);
    for (const one of [uploaded, url]) {
      const { status, headers, body } = await send(one, { headers: CROSS_SITE });
      expect(status).toBe(200);
      expect(body).toHaveLength(bytes);
      expect(headers).toMatchObject({
        'cross-origin-resource-policy': 'cross-origin',
        'cache-control': expect.stringMatching(/^private, max-age=(3[6-9]|4[0-5])\d\d, immutable$/),
      });
    }
    expect((await send(thumbnailUrl, { headers: CROSS_SITE })).headers).toMatchObject({
      'content-type': 'image/webp',
      'cross-origin-resource-policy': 'cross-origin',
    });
    expect((await urlsOf(id)).url).toBe(url);
    // The resource itself, for clients with credentials.
    expect(location).toBe(`${app.url}/images/${id}`);
  });

  test('serve HEAD, ranges and revalidation as with credentials, and no other method', async () => {
    await start();
    const { url, sha256, bytes } = await upload();
    const head = await send(url, { method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, headers: { 'content-length': String(bytes) } });
    expect((await send(url, { headers: { range: 'bytes=0-3' } })).status).toBe(206);
    expect((await send(url, { headers: { 'if-none-match': `"${sha256}"` } })).status).toBe(304);
    expect((await send(url, { method: 'DELETE' })).status).toBe(405);
  });

  test('are rejected when they were altered or have expired, whatever the credentials', async () => {
    await start();
    const { id, url } = await upload();
    const { id: otherId } = await upload(await png(9));
    const { thumbnailUrl } = await urlsOf(id, { width: 64 });
    const expired = signedAt(new Date(Date.now() - DAY_MS), id);
    for (const [wrong, reason] of [
      [url.replace(id, otherId), 'not valid'],
      [`${url}&w=64`, 'not valid'],
      [thumbnailUrl.replace('w=64', 'w=1024'), 'not valid'],
      [url.replace(/expires=\d+&/, ''), 'not valid'],
      [url.replace(/&signature=.*/, ''), 'not valid'],
      [url.replace(/signature=.*/, 'signature='), 'not valid'],
      [signedAt(new Date(), id, randomBytes(32).toString('base64')), 'not valid'],
      [expired, 'expired'],
    ] as const) {
      const { status, headers, body } = await send(wrong, { headers: { 'x-user': 'ann' } });
      expect(status, wrong).toBe(403);
      expect(headers['content-type']).toBe('application/problem+json');
      expect(headers['cache-control']).toBe('no-store');
      expect(JSON.parse(body.toString()).detail).toContain(reason);
    }
  });

  test('without a signature need credentials of their owner, whose browser asks again each time', async () => {
    await start({ CORS_ORIGINS: 'https://app.example' });
    const { id, sha256 } = await upload();
    const plain = `${app.url}/images/${id}`;
    expect((await send(plain)).status).toBe(401);
    expect((await send(plain, { headers: { 'x-user': 'bob' } })).status).toBe(404);
    const own = { 'x-user': 'ann' };
    expect((await send(plain, { headers: { ...own, ...CROSS_SITE } })).status).toBe(403);
    for (const more of [{}, { 'if-none-match': `"${sha256}"` }] as Record<string, string>[]) {
      const { status, headers } = await send(plain, { headers: { ...own, ...more } });
      expect([200, 304]).toContain(status);
      expect(headers['cache-control']).toBe('private, no-cache');
      expect(headers.vary).toBe('Origin, Authorization, X-Api-Key, x-user');
    }
  });

  test('return 404 once the image is deleted, although the signature is valid', async () => {
    await start();
    const { id } = await upload();
    const { data } = await query(EDIT, { input: { images: [{ id }], prompt: 'x' } });
    const { outputImages, id: jobId } = data.editImage.editJob;
    const { url } = outputImages[0];
    expect((await send(url)).status).toBe(200);
    const deletion = 'mutation($id: ID!) { deleteEdit(input: { id: $id }) { __typename } }';
    expect((await query(deletion, { id: jobId })).data.deleteEdit.__typename).toBe(
      'DeleteEditPayload',
    );
    expect((await send(url)).status).toBe(404);
  });

  test('can last from a minute to a week; any other lifetime is an error', async () => {
    await start();
    const { id } = await upload();
    for (const expiresIn of [60, 604_800]) {
      const { url } = await urlsOf(id, { expiresIn });
      const seconds = Number(new URL(url).searchParams.get('expires')) - Date.now() / 1_000;
      expect(seconds).toBeGreaterThanOrEqual(expiresIn - 5);
      expect(seconds).toBeLessThanOrEqual(expiresIn * 1.25);
    }
    for (const expiresIn of [59, 604_801, -1]) {
      const { errors } = await query(URLS, { id, expiresIn });
      expect(errors[0]).toMatchObject({
        message: 'expiresIn must be from 60 to 604800 seconds.',
        extensions: { code: 'BAD_USER_INPUT', field: 'expiresIn' },
      });
    }
  });

  test('that were signed with a previous key work until they expire', async () => {
    await start({ SECRET_KEY: randomBytes(32).toString('base64'), PREVIOUS_SECRET_KEYS: key });
    const { id } = await upload();
    expect((await send(signedAt(new Date(), id))).status).toBe(200);
    expect((await urlsOf(id)).url).not.toContain(signedAt(new Date(), id).split('signature=')[1]);
  });

  test('in webhooks and exports work for SIGNED_LINK_DAYS', async () => {
    await start({ SIGNED_LINK_DAYS: '30', WEBHOOK_ALLOWED_HOSTS: '127.0.0.1' });
    const receiver = await receiveWebhooks();
    await query(
      'mutation($url: String!) { createWebhook(input: { url: $url, events: [EDIT_SUCCEEDED] }) { __typename } }',
      { url: receiver.url },
    );
    const { id } = await upload();
    await query(EDIT, { input: { images: [{ id }], prompt: 'x' } });
    await eventually(() => expect(receiver.received).toHaveLength(1));
    const message = JSON.parse(receiver.received[0]?.body ?? '{}');
    const exported = await send(`${app.url}/export/edits`, { headers: { 'x-user': 'ann' } });
    const record = JSON.parse(exported.body.toString());
    for (const { url } of [...message.data.editJob.outputImages, ...record.inputImages]) {
      const days = (Number(new URL(url).searchParams.get('expires')) * 1_000 - Date.now()) / DAY_MS;
      expect(days).toBeGreaterThan(29.9);
      expect(days).toBeLessThanOrEqual(31);
      expect((await send(url)).status).toBe(200);
    }
  });

  test('are not signed without authentication, and are cached for a year', async () => {
    app = await startTestApp({ SECRET_KEY: key });
    const { id, url } = await upload();
    expect(url).toBe(`${app.url}/images/${id}`);
    expect(await urlsOf(id)).toEqual({ url, thumbnailUrl: `${url}?w=256` });
    const { headers } = await send(url);
    expect(headers['cache-control']).toBe('private, max-age=31536000, immutable');
    expect(headers.vary).toBeUndefined();
  });
});
