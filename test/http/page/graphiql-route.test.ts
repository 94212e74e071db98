import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createGraphiqlRoute } from '../../../src/http/page/graphiql-route.ts';
import { temporaryDirectory } from '../../support/directory.ts';
import { send, serve } from '../../support/http.ts';

const HTML = '<html data-sandbox="false" data-auth="false"></html>';

/** A build of the page in a directory of its own, and its route behind a server. */
async function servePage({ isBuilt = true, sandbox = false, auth = false } = {}) {
  const dir = await temporaryDirectory();
  if (isBuilt) {
    await mkdir(join(dir, 'assets'));
    await writeFile(join(dir, 'index.html'), HTML);
    await writeFile(join(dir, 'assets/main-abc.js'), 'let plain');
    await writeFile(join(dir, 'assets/main-abc.js.br'), 'as brotli');
    await writeFile(join(dir, 'assets/main-abc.js.gz'), 'as gzip');
    await writeFile(join(dir, 'assets/icon-abc.svg'), '<svg/>');
    await writeFile(join(dir, 'assets/notes.txt'), 'nothing of the page');
  }
  const route = createGraphiqlRoute({ dir, sandbox, auth });
  const { url } = await serve((req, res) => {
    const asset = /^\/assets\/(.*)$/.exec(req.url ?? '')?.[1];
    void (asset === undefined ? route.page(req, res) : route.asset(req, res, asset));
  });
  return (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    send(url + path, { method, headers });
}

describe('the page', () => {
  test('comes from this origin alone, is looked for again each time, and is the same until built anew', async () => {
    const get = await servePage();
    const { status, headers, body } = await get('/');
    expect(status).toBe(200);
    expect(body.toString()).toBe(HTML);
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
    });
    const policy = headers['content-security-policy'] ?? '';
    expect(policy).toContain("default-src 'self'; style-src 'self' 'unsafe-inline'");
    expect(policy).not.toContain('unsafe-eval');
    expect(policy).not.toMatch(/script-src|https?:/);
    const etag = String(headers.etag);
    const again = await get('/', { 'if-none-match': `W/${etag}` });
    expect([again.status, again.body.length]).toEqual([304, 0]);
  });

  test('is validated, not sent again, for a conditional fetch(), which asks for no-cache', async () => {
    const get = await servePage();
    const etag = String((await get('/')).headers.etag);
    const again = await get('/', { 'if-none-match': etag, 'cache-control': 'no-cache' });
    expect(again.status).toBe(304);
  });

  test('knows when the sandbox is on', async () => {
    const get = await servePage({ sandbox: true });
    expect((await get('/')).body.toString()).toContain('data-sandbox="true"');
  });

  test('knows when authentication is on', async () => {
    const get = await servePage({ auth: true });
    expect((await get('/')).body.toString()).toContain('data-sandbox="false" data-auth="true"');
  });

  test('says what to run while it is not built', async () => {
    const get = await servePage({ isBuilt: false });
    const { status, body } = await get('/');
    expect(status).toBe(503);
    expect(body.toString()).toContain('npm run build:page');
    expect((await get('/assets/main-abc.js')).status).toBe(404);
  });
});

describe('a file of the page', () => {
  test.each([
    ['gzip, br', 'br', 'as brotli'],
    ['gzip', 'gzip', 'as gzip'],
    ['identity', undefined, 'let plain'],
  ])(
    'goes to a client that accepts %s as %s, and is kept for good',
    async (accepted, sent, text) => {
      const get = await servePage();
      const accept = { 'accept-encoding': accepted };
      const { headers, body } = await get('/assets/main-abc.js', accept);
      expect(body.toString()).toBe(text);
      expect(headers['content-encoding']).toBe(sent);
      expect(headers).toMatchObject({
        'content-type': 'text/javascript; charset=utf-8',
        'content-length': String(text.length),
        'cache-control': 'public, max-age=31536000, immutable',
        vary: 'Accept-Encoding',
      });
      const etag = String(headers.etag);
      expect(etag).toMatch(/^"[^"]+"$/);
      const known = await get('/assets/main-abc.js', { ...accept, 'if-none-match': etag });
      expect([known.status, known.body.length]).toEqual([304, 0]);
      const head = await get('/assets/main-abc.js', accept, 'HEAD');
      expect([head.status, head.body.length]).toEqual([200, 0]);
    },
  );

  test('has an ETag of its own in each encoding', async () => {
    const get = await servePage();
    const etags = await Promise.all(
      ['br', 'gzip', 'identity'].map(
        async (encoding) =>
          (await get('/assets/main-abc.js', { 'accept-encoding': encoding })).headers.etag,
      ),
    );
    expect(new Set(etags).size).toBe(3);
  });

  test('goes as it is when it was not compressed', async () => {
    const get = await servePage();
    const { headers, body } = await get('/assets/icon-abc.svg', { 'accept-encoding': 'br' });
    expect(body.toString()).toBe('<svg/>');
    expect(headers['content-encoding']).toBeUndefined();
    expect(headers['content-type']).toBe('image/svg+xml');
  });

  test.each(['none.js', 'notes.txt', 'main-abc.js.br', 'x%2F..%2Fmain-abc.js', '.js'])(
    'is not what else there may be: %s',
    async (name) => {
      const get = await servePage();
      expect((await get(`/assets/${name}`)).status).toBe(404);
    },
  );

  test('can only be read', async () => {
    const get = await servePage();
    const { status, headers } = await get('/assets/main-abc.js', {}, 'DELETE');
    expect([status, headers.allow]).toEqual([405, 'GET, HEAD']);
  });
});
