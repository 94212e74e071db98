import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../../support/app.ts';
import { hasDatabase } from '../../support/database.ts';
import { filesIn } from '../../support/directory.ts';
import { send } from '../../support/http.ts';
import { filePart, formBody, MULTIPART_HEADERS } from '../../support/multipart.ts';
import { EDIT } from '../../support/operations.ts';
import { animatedWebp, hugePng, jpeg, noisePng, png } from '../../support/test-images.ts';
import { sendBytes } from '../../support/upload-socket.ts';

const CSRF = { 'apollo-require-preflight': 'true' };
const MAX_BYTES = 300_000;
const PNG = { 'content-type': 'image/png' };
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe.runIf(hasDatabase)('POST /images', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp({ MAX_IMAGE_BYTES: String(MAX_BYTES), MAX_IMAGE_PIXELS: '1000000' });
  });
  afterAll(() => app?.stop());

  async function post(body: Uint8Array, headers: Record<string, string | number> = PNG) {
    const answer = await send(`${app.url}/images`, { method: 'POST', headers, body });
    return { ...answer, json: JSON.parse(answer.body.toString()) };
  }
  const form = (parts: Parameters<typeof formBody>[0], headers: object = CSRF) =>
    post(formBody(parts), { ...MULTIPART_HEADERS, ...headers });
  const staged = () => filesIn(join(app.dir, 'staging'));
  async function images(): Promise<number> {
    return (await filesIn(join(app.dir, 'blobs'))).filter((path) => !path.includes('.w')).length;
  }

  test('stores the body as an image, whose id an edit takes and whose url serves it', async () => {
    const image = await png(80, 60);
    const { status, headers, json } = await post(image);
    expect(status).toBe(201);
    expect(json).toEqual({
      id: expect.any(String),
      url: `${app.url}/images/${json.id}`,
      format: 'PNG',
      width: 80,
      height: 60,
      bytes: image.length,
      sha256: sha256(image),
    });
    expect(headers.location).toBe(json.url);
    expect((await send(json.url)).body.equals(image)).toBe(true);
    const { data } = await app.query(EDIT, {
      input: { images: [{ id: json.id }], prompt: 'by its id' },
    });
    expect(data.editImage.editJob).toMatchObject({
      status: 'SUCCEEDED',
      inputImages: [{ id: json.id, sha256: json.sha256 }],
    });
  });

  test.each(['image/jpeg', 'application/octet-stream', 'IMAGE/WEBP; x=y'])(
    'tells the format by the bytes, not by a Content-Type of %s',
    async (type) => {
      const { json } = await post(await png(), { 'content-type': type });
      expect(json.format).toBe('PNG');
    },
  );

  test('takes a form with one file under any name, fields around it, with a CSRF header', async () => {
    const image = await jpeg(50, 40);
    const { status, json } = await form([
      { name: 'comment', content: 'before' },
      filePart('image', image),
      { name: 'comment', content: 'behind' },
    ]);
    expect(status).toBe(201);
    expect(json).toMatchObject({ format: 'JPEG', width: 50, height: 40, sha256: sha256(image) });
  });

  test('answers with the same id for the same bytes, as uploadImage does', async () => {
    const image = await png();
    const { data } = await app.upload(
      'mutation($file: Upload!) { uploadImage(input: { file: $file }) { ... on UploadImagePayload { image { id } } } }',
      { file: null },
      { file: image },
    );
    const ids = await Promise.all([post(image), form([filePart('f', image)])]);
    const { id } = data.uploadImage.image;
    expect(ids.map(({ json }) => json.id)).toEqual([id, id]);
  });

  test('takes an image of exactly the limit, and no byte more, either way', async () => {
    const largest = await noisePng(MAX_BYTES);
    const larger = await noisePng(MAX_BYTES + 1);
    expect((await post(largest)).status).toBe(201);
    expect((await form([filePart('f', largest)])).status).toBe(201);
    const length = { ...PNG, 'content-length': larger.length };
    for (const answer of [
      await post(larger),
      await post(larger, length),
      await form([filePart('f', larger)]),
    ]) {
      expect(answer.status).toBe(413);
      expect(answer.json.errors[0].extensions).toMatchObject(invalid('TOO_LARGE'));
      expect(answer.json.errors[0].message).toContain('300,000 bytes');
    }
  });

  test.each([
    ['a text', () => Buffer.from('no image'), 415, 'UNSUPPORTED_FORMAT'],
    ['nothing', () => Buffer.alloc(0), 400, 'TOO_SMALL'],
    ['an animation', () => animatedWebp(3), 415, 'UNSUPPORTED_FORMAT'],
    ['a cut image', async () => (await noisePng(5_000)).subarray(0, 4_000), 400, 'BROKEN_IMAGE'],
    ['too many pixels', () => hugePng(1_001), 413, 'TOO_LARGE'],
  ])('refuses %s by the field’s name, and stores nothing', async (_, make, status, code) => {
    const before = await images();
    const body = await make();
    for (const answer of [await post(body), await form([filePart('f', body)])]) {
      expect(answer.json.errors[0].extensions).toMatchObject(invalid(code));
      expect(answer.status).toBe(status);
    }
    expect(await images()).toBe(before);
    expect(await staged()).toEqual([]);
  });

  test.each([
    ['no file', () => [{ name: 'a', content: 'b' }], 'REQUIRED'],
    ['two files', (file: Buffer) => [filePart('a', file), filePart('b', file)], 'TOO_MANY'],
  ])('refuses a form with %s, and stores nothing', async (_, parts, code) => {
    const before = await images();
    const { status, json } = await form(parts(await png()));
    expect(status).toBe(400);
    expect(json.errors[0].extensions).toMatchObject(invalid(code));
    expect(await images()).toBe(before);
  });

  test.each([
    ['without a boundary', { 'content-type': 'multipart/form-data' }, 'no form'],
    ['that ends in the middle', MULTIPART_HEADERS, '--a-boundary-of-the-tests\r\nContent-Disp'],
  ])('refuses a form %s as the client’s mistake', async (_, headers, body) => {
    const { status, json } = await post(Buffer.from(body), { ...headers, ...CSRF });
    expect(status).toBe(400);
    expect(json.errors[0].extensions).toMatchObject(invalid('INVALID_VALUE'));
  });

  test('refuses a form without a CSRF header, which any web page could send', async () => {
    const before = await images();
    const { status, json } = await form([filePart('f', await png())], {});
    expect(status).toBe(403);
    expect(json.errors[0].extensions.code).toBe('CSRF_PREVENTED');
    expect(await images()).toBe(before);
  });

  test.each([
    ['text/plain', 'text/plain; image/png'],
    ['an urlencoded form', 'application/x-www-form-urlencoded'],
    ['none', undefined],
  ])('refuses a Content-Type that a web page can send unasked: %s', async (_, type) => {
    const { status, json } = await post(await png(), type ? { 'content-type': type } : {});
    expect(status).toBe(415);
    expect(json.errors[0].extensions.code).toBe('UNSUPPORTED_MEDIA_TYPE');
  });

  test('says no to a preflight, so that no other origin sends an image', async () => {
    const { status, headers } = await send(`${app.url}/images`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://evil.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      },
    });
    expect(status).toBe(405);
    expect(headers.allow).toBe('POST');
    expect(headers).not.toHaveProperty('access-control-allow-origin');
  });

  test('keeps nothing of an image whose client went away', async () => {
    const { host } = new URL(app.url);
    const head = `POST /images HTTP/1.1\r\nhost: ${host}\r\ncontent-type: image/png\r\ncontent-length: 200000\r\n\r\n`;
    const before = await images();
    const socket = await sendBytes(
      app.url,
      Buffer.concat([Buffer.from(head), (await noisePng(200_000)).subarray(0, 150_000)]),
    );
    await expect.poll(staged).toHaveLength(1);
    socket.resetAndDestroy();
    await expect.poll(staged).toEqual([]);
    expect(await images()).toBe(before);
  });
});

describe.runIf(hasDatabase)('POST /images while as much is being uploaded as may be', () => {
  test('tells when to come again, and reads nothing', async () => {
    const app = await startTestApp({ MAX_CONCURRENT_UPLOAD_BYTES: '1' });
    try {
      const { host } = new URL(app.url);
      const head = `POST /images HTTP/1.1\r\nhost: ${host}\r\ncontent-type: image/png\r\ncontent-length: 200000\r\n\r\n`;
      const socket = await sendBytes(app.url, Buffer.from(head));
      await expect.poll(() => filesIn(join(app.dir, 'staging'))).toHaveLength(1);
      for (const [path, headers] of [
        ['/images', PNG],
        ['/graphql', { ...MULTIPART_HEADERS, ...CSRF }],
        ['/graphql/subgraph', { ...MULTIPART_HEADERS, ...CSRF }],
      ] as const) {
        const answer = await send(`${app.url}${path}`, {
          method: 'POST',
          headers: { ...headers },
          body: await png(),
        });
        expect(answer.status, path).toBe(503);
        expect(answer.headers['retry-after']).toBe('5');
        expect(JSON.parse(answer.body.toString()).errors[0].extensions.code).toBe('UNAVAILABLE');
      }
      socket.resetAndDestroy();
      await expect
        .poll(async () => {
          const { status } = await send(`${app.url}/images`, {
            method: 'POST',
            headers: PNG,
            body: await png(),
          });
          return status;
        })
        .toBe(201);
    } finally {
      await app.stop();
    }
  });
});

/** The extensions of an error about the file. */
function invalid(code: string) {
  return { code: 'BAD_USER_INPUT', field: 'file', problems: [{ field: 'file', code }] };
}
