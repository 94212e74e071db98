import { once } from 'node:events';
import { request } from 'node:http';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import type { StoredImage } from '../../../src/http/rest/image-route.ts';
import { createImageRoute } from '../../../src/http/rest/image-route.ts';
import { blobKey } from '../../../src/images/storage/blob-key.ts';
import type { BlobStore } from '../../../src/images/storage/blob-store.ts';
import { createSmallBlobs } from '../../../src/images/storage/small-blobs.ts';
import { createThumbnails } from '../../../src/images/thumbnails/thumbnails.ts';
import { send, serve } from '../../support/http.ts';
import { stage, temporaryStorage } from '../../support/storage.ts';
import { jpeg, noisePng } from '../../support/test-images.ts';

const ID = 'SW1hZ2U6MQ==';

async function setUp(
  content: Buffer,
  {
    format = 'jpeg',
    wrap = (blobs) => blobs,
    credentialHeaders = [],
    maxBlobBytes = 100_000,
  }: Options = {},
) {
  const { blobs, staging } = await temporaryStorage();
  const staged = await stage(staging, content);
  const { sha256, bytes } = staged;
  const image = { sha256, bytes, format, key: blobKey({ ownerId: 'me', sha256 }) };
  await blobs.put(image.key, staged.path);
  const errors: unknown[] = [];
  const seen = wrap(blobs);
  const thumbnails = createThumbnails({ blobs: seen, staging, maxPixels: 1_000_000 });
  const route = createImageRoute<string>({
    find: async (reader, id) => {
      const isAllowed = 'signedUntil' in reader || reader.viewer === 'me';
      return isAllowed && id === ID ? image : null;
    },
    credentialHeaders,
    blobs: seen,
    smallBlobs: createSmallBlobs({ blobs: seen, maxBlobBytes }),
    thumbnails,
    onError: (error) => errors.push(error),
  });
  const handled: Promise<void>[] = [];
  const { url } = await serve((req, res) => {
    const [, , id = ''] = new URL(req.url ?? '', 'http://x').pathname.split('/');
    const viewer = String(req.headers['x-viewer'] ?? 'me');
    const signedUntil = req.headers['x-signed-until'];
    const reader =
      signedUntil === undefined ? { viewer } : { signedUntil: new Date(String(signedUntil)) };
    handled.push(route(req, res, decodeURIComponent(id), reader));
  });
  return {
    url: `${url}/images/${encodeURIComponent(ID)}`,
    image,
    errors,
    thumbnails,
    etag: `"${sha256}"`,
    settled: () => Promise.all(handled),
  };
}

interface Options {
  format?: StoredImage['format'];
  wrap?: (blobs: BlobStore) => BlobStore;
  credentialHeaders?: readonly string[];
  /** Larger blobs are not kept in memory. */
  maxBlobBytes?: number;
}

it('sends the image so that a browser can only take it for one, and may keep it', async () => {
  const content = await jpeg();
  const { url, etag } = await setUp(content);
  const { status, headers, body } = await send(url);
  expect(status).toBe(200);
  expect(body).toEqual(content);
  expect(headers).toMatchObject({
    'content-type': 'image/jpeg',
    'content-length': String(content.length),
    etag,
    'accept-ranges': 'bytes',
    'cache-control': 'private, max-age=31536000, immutable',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox",
    'content-disposition': 'inline; filename="SW1hZ2U6MQ.jpg"',
    'cross-origin-resource-policy': 'same-origin',
  });
});

it('asks a browser that sent credentials to ask again before it shows its copy', async () => {
  const { url, etag } = await setUp(await jpeg(), {
    credentialHeaders: ['Authorization', 'x-user'],
  });
  for (const headers of [{}, { 'if-none-match': etag }] as Record<string, string>[]) {
    expect((await send(url, { headers })).headers).toMatchObject({
      etag,
      'cache-control': 'private, no-cache',
      vary: 'Authorization, x-user',
    });
  }
});

it('lets any page show an image whose URL is signed, and keep it until the signature expires', async () => {
  const { url, etag } = await setUp(await jpeg(), { credentialHeaders: ['Authorization'] });
  const signed = { 'x-signed-until': new Date(Date.now() + 100_000).toISOString() };
  const full = await send(url, { headers: signed });
  expect(full.headers['cross-origin-resource-policy']).toBe('cross-origin');
  for (const more of [{}, { range: 'bytes=0-1' }, { 'if-none-match': etag }] as Record<
    string,
    string
  >[]) {
    const { status, headers } = await send(url, { headers: { ...signed, ...more } });
    expect([200, 206, 304]).toContain(status);
    expect(headers['cache-control']).toMatch(/^private, max-age=(98|99|100), immutable$/);
    expect(headers.vary).toBeUndefined();
  }
});

it.each([
  ['png', 'image/png', 'png'],
  ['webp', 'image/webp', 'webp'],
] as const)('names a %s by its own type', async (format, type, extension) => {
  const { url } = await setUp(await jpeg(), { format });
  const { headers } = await send(url);
  expect(headers['content-type']).toBe(type);
  expect(headers['content-disposition']).toContain(`.${extension}"`);
});

it('answers HEAD like GET, without the body', async () => {
  const content = await jpeg();
  const { url } = await setUp(content);
  const { date: _, ...got } = (await send(url)).headers;
  const head = await send(url, { method: 'HEAD', headers: { range: 'bytes=0-3' } });
  expect(head.status).toBe(200);
  expect(head.body).toHaveLength(0);
  expect(head.headers).toMatchObject(got);
});

it('answers 304 to a client that has the image', async () => {
  const { url, etag } = await setUp(await jpeg());
  for (const tags of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const { status, headers, body } = await send(url, { headers: { 'if-none-match': tags } });
    expect(status).toBe(304);
    expect(headers.etag).toBe(etag);
    expect(body).toHaveLength(0);
  }
  expect((await send(url, { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
});

it('sends a part, and the whole to a client whose part is of another image', async () => {
  const content = await jpeg();
  const { url, etag } = await setUp(content);
  const part = (headers: Record<string, string>) =>
    send(url, { headers: { range: 'bytes=10-19', ...headers } });
  for (const headers of [{}, { 'if-range': etag }] as Record<string, string>[]) {
    const { status, headers: got, body } = await part(headers);
    expect(status).toBe(206);
    expect(got['content-range']).toBe(`bytes 10-19/${content.length}`);
    expect(got['content-length']).toBe('10');
    expect(body).toEqual(content.subarray(10, 20));
  }
  const dated = 'Sun, 22 Nov 2026 00:00:00 GMT';
  for (const ifRange of ['"other"', `W/${etag}`, dated]) {
    expect(await part({ 'if-range': ifRange })).toMatchObject({ status: 200, body: content });
  }
});

it('answers 416 with the length to a part that is not there', async () => {
  const content = await jpeg();
  const { url } = await setUp(content);
  const { status, headers } = await send(url, { headers: { range: `bytes=${content.length}-` } });
  expect(status).toBe(416);
  expect(headers['content-range']).toBe(`bytes */${content.length}`);
  expect(headers['cache-control']).toBe('no-store');
});

it('sends a WebP thumbnail at least as wide as asked for, with a tag of its own', async () => {
  const { url, image } = await setUp(await jpeg(800, 600));
  const { status, headers, body } = await send(`${url}?w=200`);
  expect(status).toBe(200);
  expect(headers).toMatchObject({
    'content-type': 'image/webp',
    'content-length': String(body.length),
    etag: `"${image.sha256}-w256"`,
    'x-content-type-options': 'nosniff',
  });
  expect(await sharp(body).metadata()).toMatchObject({ format: 'webp', width: 256 });
  const again = await send(`${url}?w=256`, { headers: { 'if-none-match': headers.etag ?? '' } });
  expect(again.status).toBe(304);
});

it.each(['0', '-1', '1025', '1e2', '', 'abc', '0x40', '99999999999999999999', '64.5'])(
  'answers 400 to the width %j',
  async (width) => {
    const { url } = await setUp(await jpeg());
    const { status, headers, body } = await send(`${url}?w=${width}`);
    expect(status).toBe(400);
    expect(headers['content-type']).toBe('application/problem+json');
    expect(JSON.parse(body.toString())).toEqual({
      status: 400,
      detail: 'w must be a whole number from 1 to 1024 (pixels).',
    });
  },
);

it('answers 404 to a thumbnail of an image that cannot be decoded', async () => {
  const { url, errors } = await setUp((await jpeg()).subarray(0, 20));
  expect((await send(`${url}?w=64`)).status).toBe(404);
  expect((await send(url)).status).toBe(200);
  expect(errors).toEqual([]);
});

it('answers the same 404 to what is not there and to what is not the viewer’s', async () => {
  const { url } = await setUp(await jpeg());
  const absent = await send(url.replace(/[^/]+$/, 'nothing'));
  const foreign = await send(url, { headers: { 'x-viewer': 'you' } });
  expect(absent.status).toBe(404);
  expect(absent.headers['cache-control']).toBe('no-store');
  expect(foreign).toMatchObject({ status: 404, body: absent.body });
});

it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('answers 405 to %s', async (method) => {
  const { url } = await setUp(await jpeg());
  const { status, headers } = await send(url, { method });
  expect(status).toBe(405);
  expect(headers.allow).toBe('GET, HEAD');
});

it.each([
  ['small', 100_000],
  ['large', 0],
])('answers 500 and reports it when the bytes of a known, %s image are gone', async (_, max) => {
  const wrap = (blobs: BlobStore) => ({
    ...blobs,
    read: () => blobs.read('none'),
    pieces: () => blobs.pieces('none'),
  });
  const { url, errors } = await setUp(await jpeg(), { wrap, maxBlobBytes: max });
  const { status, headers } = await send(url);
  expect(status).toBe(500);
  expect(headers.etag).toBeUndefined();
  expect(headers['cache-control']).toBe('no-store');
  expect(errors).toEqual([expect.objectContaining({ code: 'ENOENT' })]);
});

it('sends a large image, and a part of it, as it is stored', async () => {
  const content = await noisePng(700_000);
  const { url } = await setUp(content);
  expect((await send(url)).body).toEqual(content);
  const part = await send(url, { headers: { range: 'bytes=300000-599999' } });
  expect(part.status).toBe(206);
  expect(part.body).toEqual(content.subarray(300_000, 600_000));
});

it('reads a small image and a thumbnail once, and a part of it not at all', async () => {
  const read: string[] = [];
  const wrap = (blobs: BlobStore): BlobStore => ({
    ...blobs,
    size(key) {
      read.push('size');
      return blobs.size(key);
    },
    read(...args) {
      read.push('read');
      return blobs.read(...args);
    },
  });
  const content = await jpeg(800, 600);
  const { url } = await setUp(content, { wrap });
  expect((await send(url)).body).toEqual(content);
  const { body } = await send(`${url}?w=64`);
  read.length = 0;
  expect((await send(url)).body).toEqual(content);
  expect((await send(url, { headers: { range: 'bytes=1-9' } })).body).toEqual(
    content.subarray(1, 10),
  );
  expect((await send(`${url}?w=64`)).body).toEqual(body);
  expect(read).toEqual([]);
});

it('cuts the connection when the bytes break off, so that no client takes them for all', async () => {
  async function* failing() {
    yield Buffer.from('first');
    throw new Error('disk broke');
  }
  const wrap = (blobs: BlobStore) => ({ ...blobs, pieces: failing });
  const { url, errors, settled } = await setUp(await jpeg(), { wrap, maxBlobBytes: 0 });
  await expect(send(url)).rejects.toThrow();
  await settled();
  expect(errors).toEqual([new Error('disk broke')]);
});

it('closes the file of a client that goes away, and reports nothing', async () => {
  let closed = 0;
  const wrap = (blobs: BlobStore): BlobStore => ({
    ...blobs,
    async *pieces(...args) {
      try {
        yield* blobs.pieces(...args);
      } finally {
        closed += 1;
      }
    },
  });
  // Larger than what the sockets in between hold.
  const { url, errors, settled } = await setUp(await noisePng(20_000_000), { wrap });
  const req = request(url).end();
  const [res] = await once(req, 'response');
  res.destroy();
  await settled();
  expect(closed).toBe(1);
  expect(errors).toEqual([]);
});

it('answers 503 for a thumbnail that is not there yet when the service stops, and logs no error', async () => {
  const { url, thumbnails, errors } = await setUp(await jpeg());
  expect((await send(`${url}?w=64`)).status).toBe(200);
  await thumbnails.stop();
  expect((await send(`${url}?w=64`)).status).toBe(200);
  const refused = await send(`${url}?w=256`);
  expect(refused.status).toBe(503);
  expect(refused.headers['retry-after']).toBe('30');
  expect(errors).toEqual([]);
});
