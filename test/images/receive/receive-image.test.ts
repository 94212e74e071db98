import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { expect, it, vi } from 'vitest';
import { StorageError } from '../../../src/errors.ts';
import { receiveUpload, receiveUploads } from '../../../src/images/receive/receive-image.ts';
import { temporaryStorage } from '../../support/storage.ts';
import { animatedWebp, hugePng, jpeg, noisePng, webp } from '../../support/test-images.ts';

const LIMITS = { field: 'images[0]', maxBytes: 100_000, maxPixels: 1_000_000 };

function uploadOf(stream: Readable) {
  return { createReadStream: () => stream };
}

function slices(content: Buffer, bytes: number): Buffer[] {
  const count = Math.ceil(content.length / bytes);
  return Array.from({ length: count }, (_, i) => content.subarray(i * bytes, (i + 1) * bytes));
}

it.each([1, 7, 64, 10_000])('receives an image that comes in chunks of %i bytes', async (size) => {
  const { staging } = await temporaryStorage();
  const content = await webp();
  const upload = uploadOf(Readable.from(slices(content, size)));
  const { staged, facts } = await receiveUpload({ staging, upload, ...LIMITS });
  expect(staged.bytes).toBe(content.length);
  expect(facts).toMatchObject({ format: 'webp', width: 64, height: 48 });
});

it('accepts a file of exactly the limit and refuses one byte more', async () => {
  const { staging, stagedFiles } = await temporaryStorage();
  const exact = uploadOf(Readable.from(slices(await noisePng(100_000), 9_000)));
  const { staged } = await receiveUpload({ staging, upload: exact, ...LIMITS });
  expect(staged.bytes).toBe(100_000);

  const larger = uploadOf(Readable.from(slices(await noisePng(100_001), 9_000)));
  await expect(receiveUpload({ staging, upload: larger, ...LIMITS })).rejects.toMatchObject({
    field: 'images[0]',
    code: 'TOO_LARGE',
    message: 'images[0] may have at most 100,000 bytes.',
  });
  expect(await stagedFiles()).toEqual([staged.path]);
});

it('refuses an image at its header, before the rest has come', async () => {
  const { staging, stagedFiles } = await temporaryStorage();
  for (const [content, code] of [
    [hugePng(16_000), 'TOO_LARGE'],
    [await animatedWebp(10_000), 'UNSUPPORTED_FORMAT'],
  ] as const) {
    const stream = new PassThrough();
    stream.write(content.subarray(0, 300));
    await expect(
      receiveUpload({ staging, upload: uploadOf(stream), ...LIMITS }),
    ).rejects.toMatchObject({ code });
    stream.end();
  }
  expect(await stagedFiles()).toEqual([]);
});

it('refuses a PDF at its first bytes and reads the rest without keeping it', async () => {
  const { staging, stagedFiles } = await temporaryStorage();
  const stream = new PassThrough();
  stream.write('%PDF-1.7\n'.padEnd(64, ' '));
  await expect(
    receiveUpload({ staging, upload: uploadOf(stream), ...LIMITS }),
  ).rejects.toMatchObject({
    code: 'UNSUPPORTED_FORMAT',
    message: 'images[0] is a PDF document; it must be a PNG, JPEG or WebP image.',
  });
  // Far more than a stream buffers: somebody reads, or this never ends.
  for (const chunk of slices(Buffer.alloc(1_000_000), 50_000)) {
    if (!stream.write(chunk)) await once(stream, 'drain');
  }
  stream.end();
  await once(stream, 'close');
  expect(await stagedFiles()).toEqual([]);
});

it('refuses an empty file', async () => {
  const { staging, stagedFiles } = await temporaryStorage();
  const upload = uploadOf(Readable.from([]));
  await expect(receiveUpload({ staging, upload, ...LIMITS })).rejects.toMatchObject({
    code: 'TOO_SMALL',
  });
  expect(await stagedFiles()).toEqual([]);
});

it('refuses a file that breaks off, and keeps nothing of it', async () => {
  const { staging, stagedFiles } = await temporaryStorage();
  const content = await jpeg();
  const broken = Readable.from(
    (async function* () {
      yield content.subarray(0, 100);
      throw new Error('Unexpected end of form');
    })(),
  );
  await expect(
    receiveUpload({ staging, upload: uploadOf(broken), ...LIMITS }),
  ).rejects.toMatchObject({ field: 'images[0]', code: 'BROKEN_IMAGE' });
  expect(await stagedFiles()).toEqual([]);
});

it('refuses a file that the parser cut, although it looks whole', async () => {
  const { staging, stagedFiles } = await temporaryStorage();
  const stream = Object.assign(Readable.from([await jpeg()]), { truncated: true });
  await expect(
    receiveUpload({ staging, upload: { createReadStream: () => stream }, ...LIMITS }),
  ).rejects.toMatchObject({ code: 'TOO_LARGE' });
  expect(await stagedFiles()).toEqual([]);
});

it('reports a file that never came as required', async () => {
  const { staging } = await temporaryStorage();
  const missing = Object.assign(new Error('File missing in the request.'), { status: 400 });
  const upload = Promise.reject(missing);
  await expect(receiveUpload({ staging, upload, ...LIMITS })).rejects.toMatchObject({
    field: 'images[0]',
    code: 'REQUIRED',
  });
});

it('stops at once when it is aborted, while bytes or the file itself are awaited', async () => {
  const { staging, stagedFiles } = await temporaryStorage();
  const stop = new AbortController();
  const stream = new PassThrough();
  stream.write((await jpeg()).subarray(0, 100));
  const waiting = [uploadOf(stream), new Promise<never>(() => undefined)].map((upload) =>
    receiveUpload({ staging, upload, ...LIMITS, signal: stop.signal }),
  );
  const settled = Promise.allSettled(waiting);
  const reason = new Error('stopped');
  stop.abort(reason);
  expect(await settled).toEqual([
    { status: 'rejected', reason },
    { status: 'rejected', reason },
  ]);
  expect(await stagedFiles()).toEqual([]);
});

it('receives several at once and answers in the order asked', async () => {
  const { staging } = await temporaryStorage();
  const uploads = [await jpeg(), await webp(), await noisePng(2_000)].map((content, i) => ({
    upload: uploadOf(Readable.from([content])),
    field: `images[${i}]`,
    maxBytes: 100_000,
  }));
  const received = await receiveUploads({ staging, uploads, maxPixels: 1_000_000 });
  expect(received.map(({ facts }) => facts.format)).toEqual(['jpeg', 'webp', 'png']);
});

it('reports every invalid file of several in their order, and stores none', async () => {
  const { staging, stagedFiles } = await temporaryStorage();
  const late = new PassThrough();
  const uploads = [
    uploadOf(Readable.from([await jpeg()])),
    uploadOf(late),
    uploadOf(Readable.from([Buffer.from('<svg>'.padEnd(64))])),
  ].map((upload, i) => ({ upload, field: `images[${i}]`, maxBytes: 100_000 }));
  const received = receiveUploads({ staging, uploads, maxPixels: 1_000_000 });
  setImmediate(() => late.end(Buffer.alloc(100_001)));
  await expect(received).rejects.toMatchObject({
    field: 'images[1]',
    problems: [
      { field: 'images[1]', code: 'TOO_LARGE' },
      { field: 'images[2]', code: 'UNSUPPORTED_FORMAT' },
    ],
  });
  expect(await stagedFiles()).toEqual([]);
});

it('stops those still on their way, and stores none, when the disk fails', async () => {
  const { staging, stagedFiles } = await temporaryStorage();
  const failure = new StorageError('The disk is full.');
  const { create } = staging;
  vi.spyOn(staging, 'create').mockImplementationOnce(create).mockRejectedValueOnce(failure);
  const uploads = [uploadOf(new PassThrough()), uploadOf(Readable.from([await jpeg()]))].map(
    (upload, i) => ({ upload, field: `images[${i}]`, maxBytes: 100_000 }),
  );
  await expect(receiveUploads({ staging, uploads, maxPixels: 1_000_000 })).rejects.toBe(failure);
  expect(await stagedFiles()).toEqual([]);
});
