import sharp from 'sharp';
import { expect, it } from 'vitest';
import { inspectImage } from '../../../src/images/inspect/inspect-image.ts';
import { stage, temporaryStorage } from '../../support/storage.ts';
import {
  animatedWebp,
  blankPng,
  hugePng,
  jpeg,
  mask,
  png,
  pngWithAlpha,
  turnedJpeg,
  webp,
} from '../../support/test-images.ts';

const FIELD = 'images[2]';
const made = { png, jpeg, webp };
const FORMATS = ['png', 'jpeg', 'webp'] as const;

async function inspect(content: Buffer, maxPixels = 1_000_000) {
  const { staging } = await temporaryStorage();
  return inspectImage(await stage(staging, content), { field: FIELD, maxPixels });
}

it.each(FORMATS)('reads the facts of a %s', async (format) => {
  expect(await inspect(await made[format](64, 48))).toEqual({
    format,
    width: 64,
    height: 48,
    displayWidth: 64,
    displayHeight: 48,
    hasAlpha: false,
    decoderBytes: 0,
  });
});

it('tells the stored sides of a turned image from the shown ones', async () => {
  expect(await inspect(await turnedJpeg(64, 48))).toMatchObject({
    width: 64,
    height: 48,
    displayWidth: 48,
    displayHeight: 64,
  });
});

it('sees an alpha channel', async () => {
  expect(await inspect(await pngWithAlpha())).toMatchObject({ hasAlpha: true });
  expect(await inspect(await mask())).toMatchObject({ hasAlpha: true });
});

it('accepts exactly the limit of pixels and refuses one row more', async () => {
  await expect(inspect(await png(100, 50), 5_000)).resolves.toMatchObject({ width: 100 });
  await expect(inspect(await png(100, 51), 5_000)).rejects.toMatchObject({
    field: FIELD,
    code: 'TOO_LARGE',
    message: 'images[2] is 100x51 (5,100 pixels); it may have at most 5,000 pixels.',
  });
});

it('refuses 16,000 x 16,000 pixels in 1 MB without decoding them', async () => {
  const content = hugePng(16_000);
  expect(content.length).toBeLessThan(1_100_000);
  const before = process.memoryUsage().rss;
  await expect(inspect(content, 50_000_000)).rejects.toMatchObject({
    field: FIELD,
    code: 'TOO_LARGE',
    message: expect.stringContaining('16000x16000'),
  });
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
});

it('refuses what decodes to more than four bytes for each pixel of the limit', async () => {
  const side = 7_071;
  await expect(inspect(blankPng({ side, isInterlaced: true }), 50_000_000)).resolves.toMatchObject({
    width: side,
  });
  const deep = blankPng({ side, depth: 16, isInterlaced: true });
  await expect(inspect(deep, 50_000_000)).rejects.toMatchObject({
    field: FIELD,
    code: 'TOO_LARGE',
    message:
      'images[2] is 7071x7071 and decodes to 399,992,328 bytes, but may decode to at most 200,000,000. Reduce its size, or save it with 8 bits per channel.',
  });
  await expect(inspect(blankPng({ side: 5_000, depth: 16 }), 50_000_000)).resolves.toBeDefined();
});

it('decodes none of six large images at once, with bytes behind their ends', async () => {
  const content = Buffer.concat([
    blankPng({ side: 7_000, isInterlaced: true }),
    Buffer.from('<script>x'),
  ]);
  let tasks = 0;
  const count = () => {
    tasks += 1;
  };
  sharp.queue.on('change', count);
  const before = process.memoryUsage().rss;
  await Promise.all(Array.from({ length: 6 }, () => inspect(content, 50_000_000)));
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
  sharp.queue.off('change', count);
  expect(tasks).toBe(0);
});

it('decodes nothing, so that image data that is broken in itself passes', async () => {
  const content = await png(320, 240);
  const middle = Math.floor(content.length / 2);
  content.fill(0xaa, middle, middle + 500);
  await expect(inspect(content)).resolves.toMatchObject({ width: 320, height: 240 });
});

it('shows a WebP as it is stored, whatever its EXIF says', async () => {
  const turned = await sharp(await turnedJpeg(64, 48))
    .keepMetadata()
    .webp()
    .toBuffer();
  expect((await sharp(turned).metadata()).orientation).toBe(6);
  expect(await inspect(turned)).toMatchObject({ displayWidth: 64, displayHeight: 48 });
});

it('refuses an animation of 10,000 frames, and of two', async () => {
  await expect(inspect(await animatedWebp(10_000))).rejects.toMatchObject({
    field: FIELD,
    code: 'UNSUPPORTED_FORMAT',
    message: 'images[2] is animated; it must have a single frame.',
  });
  await expect(inspect(await animatedWebp(2))).rejects.toMatchObject({
    code: 'UNSUPPORTED_FORMAT',
  });
});

it.each(FORMATS)('refuses a %s that is cut anywhere', async (format) => {
  const content = await made[format](320, 240);
  for (const share of [0.001, 0.01, 0.1, 0.5, 0.9, 0.99]) {
    const cut = content.subarray(0, Math.ceil(content.length * share));
    await expect(inspect(cut), `cut at ${share}`).rejects.toMatchObject({
      name: 'InvalidInputError',
      field: FIELD,
    });
  }
});

it.each(FORMATS)('refuses a cut %s with other bytes behind it', async (format) => {
  const content = await made[format](320, 240);
  const half = content.subarray(0, content.length / 2);
  await expect(inspect(Buffer.concat([half, Buffer.from('<html>')]))).rejects.toMatchObject({
    code: 'BROKEN_IMAGE',
  });
});

it.each(FORMATS)('accepts a whole %s with other bytes behind it', async (format) => {
  const content = Buffer.concat([await made[format](), Buffer.from('PK\x03\x04<html>')]);
  await expect(inspect(content)).resolves.toMatchObject({ format });
});

it('refuses an empty file and says that it is empty', async () => {
  await expect(inspect(Buffer.alloc(0))).rejects.toMatchObject({
    field: FIELD,
    code: 'TOO_SMALL',
    message: expect.stringContaining('0 bytes'),
  });
});

it('refuses a document that is named like an image', async () => {
  await expect(inspect(Buffer.from('<html><script>alert(1)</script>'))).rejects.toMatchObject({
    code: 'UNSUPPORTED_FORMAT',
    message: 'images[2] is an HTML document; it must be a PNG, JPEG or WebP image.',
  });
});

it('refuses a file that has only the first bytes of an image', async () => {
  const signature = Buffer.from('89504e470d0a1a0a', 'hex');
  await expect(inspect(Buffer.concat([signature, Buffer.alloc(100)]))).rejects.toMatchObject({
    code: 'BROKEN_IMAGE',
  });
});
