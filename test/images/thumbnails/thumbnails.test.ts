import { buffer } from 'node:stream/consumers';
import sharp from 'sharp';
import { thumbHashToApproximateAspectRatio, thumbHashToAverageRGBA } from 'thumbhash';
import { expect, it } from 'vitest';
import { UnavailableError } from '../../../src/errors.ts';
import { createThumbnails } from '../../../src/images/thumbnails/thumbnails.ts';
import { stage, temporaryStorage } from '../../support/storage.ts';
import { blankPng, hugePng, jpeg, pngWithAlpha, turnedJpeg } from '../../support/test-images.ts';

const KEY = 'owner/ab/abcd';

async function setUp(content: Buffer) {
  const storage = await temporaryStorage();
  const { blobs, staging } = storage;
  await blobs.put(KEY, (await stage(staging, content)).path);
  const thumbnails = createThumbnails({ blobs, staging, maxPixels: 20_000_000 });
  return { ...storage, thumbnails };
}

it('makes a WebP of the width asked for, and says how large it is', async () => {
  const { blobs, thumbnails, stagedFiles } = await setUp(await jpeg(800, 600));
  const made = await thumbnails.make(KEY, 256);
  const content = await buffer(blobs.read(made?.key ?? ''));
  expect(made?.bytes).toBe(content.length);
  expect(await sharp(content).metadata()).toMatchObject({
    format: 'webp',
    width: 256,
    height: 192,
  });
  expect(await stagedFiles()).toEqual([]);
});

it('turns an image upright, never enlarges it, and keeps its transparency', async () => {
  const turned = await setUp(await turnedJpeg(80, 60));
  const made = await turned.thumbnails.make(KEY, 256);
  expect(await sharp(await buffer(turned.blobs.read(made?.key ?? ''))).metadata()).toMatchObject({
    width: 60,
    height: 80,
  });
  const clear = await setUp(await pngWithAlpha(80, 60));
  const small = await clear.thumbnails.make(KEY, 64);
  expect(await sharp(await buffer(clear.blobs.read(small?.key ?? ''))).metadata()).toMatchObject({
    width: 64,
    hasAlpha: true,
  });
});

it('does not turn a WebP, as browsers do not', async () => {
  const turned = await sharp(await turnedJpeg(80, 60))
    .keepMetadata()
    .webp()
    .toBuffer();
  expect((await sharp(turned).metadata()).orientation).toBe(6);
  const { blobs, thumbnails } = await setUp(turned);
  const made = await thumbnails.make(KEY, 64);
  expect(await sharp(await buffer(blobs.read(made?.key ?? ''))).metadata()).toMatchObject({
    width: 64,
    height: 48,
  });
});

it('makes none of an image that a decoder would have to hold in more than 56 MiB', async () => {
  const rows = await setUp(blankPng({ side: 4_000, isInterlaced: false }));
  expect(await rows.thumbnails.make(KEY, 64)).not.toBeNull();
  const whole = await setUp(blankPng({ side: 4_000, isInterlaced: true }));
  expect(await whole.thumbnails.make(KEY, 64)).toBeNull();
  const less = await setUp(blankPng({ side: 1_000, isInterlaced: true }));
  expect(await less.thumbnails.make(KEY, 64)).not.toBeNull();
  const progressive = (width: number, height: number) =>
    jpeg(width, height).then((image) =>
      sharp(image).jpeg({ progressive: true, chromaSubsampling: '4:4:4' }).toBuffer(),
    );
  const large = await setUp(await progressive(3_200, 3_200));
  expect(await large.thumbnails.make(KEY, 64)).toBeNull();
  // A screen's wallpaper.
  const wallpaper = await setUp(await progressive(3_840, 2_400));
  expect(await wallpaper.thumbnails.make(KEY, 64)).not.toBeNull();
});

it('narrows a very tall image instead of making a very tall thumbnail', async () => {
  const { blobs, thumbnails } = await setUp(await jpeg(20, 20_000));
  const made = await thumbnails.make(KEY, 64);
  const { height } = await sharp(await buffer(blobs.read(made?.key ?? ''))).metadata();
  expect(height).toBe(256);
});

it('makes a thumbnail once, for callers at once and later', async () => {
  const { blobs, staging, stagedFiles } = await setUp(await jpeg(400, 300));
  let reads = 0;
  const counting = {
    ...blobs,
    localPath: undefined,
    pieces: (key: string) => {
      reads += 1;
      return blobs.pieces(key);
    },
  };
  const thumbnails = createThumbnails({ blobs: counting, staging, maxPixels: 10_000_000 });
  const [first, ...others] = await Promise.all([1, 2, 3].map(() => thumbnails.make(KEY, 128)));
  expect(others).toEqual([first, first]);
  expect(await thumbnails.make(KEY, 128)).toEqual(first);
  expect(reads).toBe(1);
  expect(await stagedFiles()).toEqual([]);
});

it('works for many callers with one decoder', async () => {
  const { thumbnails } = await setUp(await jpeg(400, 300));
  const widths = [64, 128, 256, 512, 64, 128, 1024] as const;
  const made = await Promise.all(widths.map((width) => thumbnails.make(KEY, width)));
  expect(new Set(made.map((thumbnail) => thumbnail?.key)).size).toBe(5);
});

it('answers null for an image that cannot be decoded or is too large, and leaves nothing', async () => {
  const broken = await setUp((await jpeg()).subarray(0, 30));
  expect(await broken.thumbnails.make(KEY, 64)).toBeNull();
  expect(await broken.thumbnails.thumbHash(KEY)).toBeNull();
  expect(await broken.stagedFiles()).toEqual([]);
  const huge = await setUp(hugePng(16_000));
  expect(await huge.thumbnails.make(KEY, 64)).toBeNull();
});

it('says that there is no such image, and works on afterwards', async () => {
  const { thumbnails, stagedFiles } = await setUp(await jpeg());
  await expect(thumbnails.make('owner/cd/cdef', 64)).rejects.toMatchObject({ code: 'ENOENT' });
  expect(await stagedFiles()).toEqual([]);
  await expect(thumbnails.make(KEY, 64)).resolves.not.toBeNull();
});

it('gives a ThumbHash of the image’s shape and colour', async () => {
  const red = { width: 300, height: 150, channels: 3, background: '#d02020' } as const;
  const { thumbnails } = await setUp(await sharp({ create: red }).png().toBuffer());
  const hash = await thumbnails.thumbHash(KEY);
  expect(hash?.length).toBeLessThan(40);
  expect(thumbHashToApproximateAspectRatio(hash ?? [])).toBeGreaterThan(1.5);
  const { r, g, b, a } = thumbHashToAverageRGBA(hash ?? []);
  expect(r).toBeGreaterThan(0.7);
  expect(Math.max(g, b)).toBeLessThan(0.3);
  expect(a).toBe(1);
});

it('refuses a caller beyond those that may wait, and serves the others', async () => {
  const { blobs, staging } = await setUp(await jpeg(400, 300));
  const goOn = Promise.withResolvers<void>();
  let reads = 0;
  const slow = {
    ...blobs,
    localPath: undefined,
    async *pieces(key: string) {
      reads += 1;
      await goOn.promise;
      yield* blobs.pieces(key);
    },
  };
  const thumbnails = createThumbnails({
    blobs: slow,
    staging,
    maxPixels: 10_000_000,
    maxWaiting: 2,
  });
  const served = ([64, 128, 256] as const).map((width) => thumbnails.make(KEY, width));
  await expect.poll(() => reads).toBe(1);
  await expect(thumbnails.make(KEY, 512)).rejects.toThrow(UnavailableError);
  goOn.resolve();
  expect((await Promise.all(served)).every((made) => made !== null)).toBe(true);
  expect(await thumbnails.make(KEY, 512)).not.toBeNull();
});

it('ends with what it is making when it stops, and begins nothing that waits', async () => {
  const { blobs, staging, stagedFiles } = await setUp(await jpeg(400, 300));
  const begun = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const slow = {
    ...blobs,
    localPath: undefined,
    async *pieces(key: string) {
      begun.resolve();
      await goOn.promise;
      yield* blobs.pieces(key);
    },
  };
  const thumbnails = createThumbnails({ blobs: slow, staging, maxPixels: 10_000_000 });
  const ended: string[] = [];
  const first = thumbnails.make(KEY, 64).finally(() => ended.push('first'));
  const second = thumbnails.make(KEY, 256);
  const refused = expect(second).rejects.toThrow(UnavailableError);
  await begun.promise;
  const stopped = thumbnails.stop().then(() => ended.push('stop'));
  goOn.resolve();
  await Promise.all([stopped, refused]);
  expect(ended).toEqual(['first', 'stop']);
  expect(await blobs.size((await first)?.key ?? '')).not.toBeNull();
  expect(await stagedFiles()).toEqual([]);
});
