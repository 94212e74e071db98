import { createHash } from 'node:crypto';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { filesIn } from '../support/directory.ts';
import { eventually } from '../support/eventually.ts';
import { EDIT } from '../support/operations.ts';
import { S3_SECRET, type S3Server, startS3Server } from '../support/s3-server.ts';
import { jpeg, mask, noisePng, png } from '../support/test-images.ts';

const UPLOAD = /* GraphQL */ `
  mutation ($file: Upload!) {
    uploadImage(input: { file: $file }) {
      ... on UploadImagePayload { image { id url bytes sha256 b64Json thumbHash thumbnailUrl(width: 256) } }
      ... on Error { message }
    }
  }
`;

async function setUp(env: Record<string, string> = {}): Promise<{ s3: S3Server; app: TestApp }> {
  const s3 = await startS3Server();
  const app = await startTestApp({ ...s3.env, ...env });
  onTestFinished(app.stop);
  return { s3, app };
}

async function store(app: TestApp, file: Uint8Array) {
  const { data, errors } = await app.upload(UPLOAD, { file: null }, { file });
  expect(errors).toBeUndefined();
  return data.uploadImage.image;
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe.runIf(hasDatabase)('with STORAGE_URL', () => {
  test('images and masks go through S3 to the edits API and back, and none to the disk', async () => {
    const { s3, app } = await setUp();
    const inputs = [await noisePng(3_000_000), await jpeg(), await png(64, 48)];
    const { data, errors } = await app.upload(
      EDIT,
      {
        input: {
          images: inputs.map(() => ({ file: null })),
          mask: { file: null },
          prompt: 'by way of S3',
          partialImages: 2,
        },
      },
      Object.fromEntries([
        ...inputs.map((file, i) => [`input.images.${i}.file`, file]),
        ['input.mask.file', await maskOf(inputs[0] ?? Buffer.alloc(0))],
      ]),
    );
    expect(errors).toBeUndefined();
    const { editJob: job } = data.editImage;
    expect(job).toMatchObject({ status: 'SUCCEEDED', error: null });
    const sent = app.sandbox.stats().lastRequests.at(-1);
    expect(sent?.files.filter(({ field }) => field === 'image[]')).toMatchObject(
      inputs.map((file) => ({ sha256: sha256(file), bytes: file.length })),
    );
    const answer = await fetch(job.outputImages[0].url);
    expect((await sharp(await answer.arrayBuffer()).metadata()).width).toBe(1024);
    const keys = await s3.keys();
    expect(keys.length).toBeGreaterThanOrEqual(inputs.length + 2);
    for (const key of keys)
      expect(key).toMatch(/^some\/prefix\/[\da-f]{32}\/[\da-f]{2}\/[\da-f]{64}/);
    expect(await filesIn(join(app.dir, 'blobs'))).toEqual([]);
    // Cleared away behind the answer.
    for (const dir of ['staging', 'answers']) {
      await expect.poll(() => filesIn(join(app.dir, dir))).toEqual([]);
    }
  });

  test('an image is served whole, in ranges, by its ETag, as base64 and as a thumbnail', async () => {
    const { s3, app } = await setUp();
    const content = await noisePng(2_000_000);
    const image = await store(app, content);
    expect(image.sha256).toBe(sha256(content));
    expect(sha256(Buffer.from(image.b64Json, 'base64'))).toBe(image.sha256);
    const get = async (headers: Record<string, string> = {}, url = image.url) => {
      const response = await fetch(url, { headers });
      return { response, bytes: Buffer.from(await response.arrayBuffer()) };
    };

    const whole = await get();
    expect(whole.response.status).toBe(200);
    expect(whole.bytes.equals(content)).toBe(true);
    const etag = whole.response.headers.get('etag') ?? '';
    expect(etag).toBe(`"${image.sha256}"`);

    const part = await get({ range: 'bytes=1000-999999', 'if-range': etag });
    expect(part.response.status).toBe(206);
    expect(part.response.headers.get('content-range')).toBe('bytes 1000-999999/2000000');
    expect(part.bytes.equals(content.subarray(1_000, 1_000_000))).toBe(true);
    expect((await get({ range: 'bytes=-1' })).bytes.equals(content.subarray(-1))).toBe(true);
    expect((await get({ range: 'bytes=2000000-' })).response.status).toBe(416);
    const before = s3.requests.length;
    expect((await get({ 'if-none-match': etag })).response.status).toBe(304);
    expect(s3.requests).toHaveLength(before);

    for (let time = 0; time < 2; time += 1) {
      const { response, bytes } = await get({}, image.thumbnailUrl);
      expect(response.headers.get('content-type')).toBe('image/webp');
      expect((await sharp(bytes).metadata()).width).toBe(256);
    }
    expect(await filesIn(join(app.dir, 'staging'))).toEqual([]);
  });

  test('an upload while S3 is away is told with 503, and leaves nothing behind', async () => {
    const { s3, app } = await setUp();
    const file = await png();
    s3.fail({ kind: 'reset' });
    const { errors, httpStatus } = await app.upload(UPLOAD, { file: null }, { file });
    expect(httpStatus).toBe(503);
    expect(errors?.[0]?.extensions?.['code']).toBe('STORAGE_UNAVAILABLE');
    const input = { images: [{ file: null }], prompt: 'not to be sent' };
    const edit = await app.upload(EDIT, { input }, { 'input.images.0.file': file });
    expect(edit.httpStatus).toBe(503);
    expect(await filesIn(join(app.dir, 'staging'))).toEqual([]);
    expect(await s3.keys()).toEqual([]);
    expect(app.sandbox.stats().requests).toBe(0);
    s3.fail(null);
    const image = await store(app, file);

    s3.fail({ kind: 'busy' });
    for (const url of [image.url, `${image.url}?w=64`]) {
      const response = await fetch(url);
      expect(response.status).toBe(503);
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    }
  });

  test('health tells of S3, and the log why, with no secret anywhere', async () => {
    const { s3, app } = await setUp();
    const ready = async () => {
      const response = await fetch(`${app.url}/health/ready`);
      return { status: response.status, ...(await response.json()) };
    };
    await eventually(async () => expect(await ready()).toMatchObject({ storage: true }));
    s3.fail({ kind: 'busy' });
    expect(await ready()).toMatchObject({ status: 'not ready', storage: false });
    s3.fail({ kind: 'hang' });
    expect(await ready()).toMatchObject({ storage: false });
    s3.fail(null);
    await eventually(async () => expect(await ready()).toMatchObject({ storage: true }));
    expect(app.logged.join('')).toContain('SlowDown');
    expect(app.logged.join('')).not.toContain(S3_SECRET);
  });

  test('a service with a wrong secret starts, says so, and shows the secret nowhere', async () => {
    const { app } = await setUp({ AWS_SECRET_ACCESS_KEY: 'wrong-canary' });
    const { errors } = await app.upload(UPLOAD, { file: null }, { file: await png() });
    expect(errors?.[0]?.extensions?.['code']).toBe('STORAGE_UNAVAILABLE');
    const logged = app.logged.join('');
    expect(logged).toContain('SignatureDoesNotMatch');
    expect(logged + JSON.stringify(errors)).not.toContain('wrong-canary');
  });
});

async function maskOf(picture: Buffer): Promise<Buffer> {
  const { width, height } = await sharp(picture).metadata();
  return mask(width, height);
}
