import { createHash, randomBytes } from 'node:crypto';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { openForwardedImage } from '../../../src/images/inspect/forwarded-image.ts';
import type { ImageFormat } from '../../../src/images/inspect/image-format.ts';
import {
  cameraExif,
  exifSegment,
  jpegSegment,
  jpegSegments,
  multiImage,
  pngChunk,
  pngChunks,
  riffChunk,
  riffChunks,
  SECRET,
  tiff,
  vp8x,
  webpOf,
  withJpegSegments,
  withPngChunks,
} from '../../support/image-files.ts';
import { stage, temporaryStorage } from '../../support/storage.ts';
import { jpeg, noisePng, png, pngWithAlpha, webp } from '../../support/test-images.ts';

const KEY = 'owner/ab/abcd';
const never = new AbortController().signal;
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** What goes out of a stored file, checked against what was said of it beforehand. */
async function forward(content: Buffer, format: ImageFormat, withMetadata = false) {
  const { blobs, staging } = await temporaryStorage();
  await blobs.put(KEY, (await stage(staging, content)).path);
  const file = { key: KEY, format, bytes: content.length, sha256: sha256(content) };
  const forwarded = await openForwardedImage(file, { blobs, withMetadata, signal: never });
  const read = async () => {
    const chunks: Buffer[] = [];
    for await (const chunk of forwarded.open()) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
  };
  const sent = await read();
  expect(sent.length).toBe(forwarded.bytes);
  expect(forwarded.sha256).toBe(sha256(sent));
  expect(await read()).toEqual(sent);
  return sent;
}

const pixels = (file: Buffer) => sharp(file).raw().toBuffer();

/** Orientation 6 and 300 dots per inch, and nothing else. */
const REDUCED = tiff([
  [0x0112, 3, 6],
  [0x011a, 5, 300],
  [0x011b, 5, 300],
  [0x0128, 3, 2],
]);

describe('a JPEG on its way to an upstream', () => {
  const behind: [string, () => Promise<Buffer>][] = [
    ['a gain map, as HDR photos have it', () => jpeg(16, 12)],
    ['a film, as motion photos have it', async () => Buffer.from(`\0\0\0\x18ftypmp42${SECRET}`)],
    ['a Samsung trailer', async () => Buffer.from(`\0\0\x01\n${SECRET}SEFHk\0\0\0SEFT`)],
    ['a ZIP archive', async () => Buffer.from(`PK\x03\x04${SECRET}`)],
    ['zeros', async () => Buffer.alloc(1_000)],
    ['two megabytes of anything', async () => randomBytes(2_000_000)],
  ];
  it.each(behind)('ends with its first image: behind it were %s', async (_, make) => {
    const first = await jpeg();
    expect(await forward(Buffer.concat([first, await make()]), 'jpeg')).toEqual(first);
  });

  it('loses the other images of a multi-image file, and their index', async () => {
    const first = await jpeg();
    for (const others of [[await jpeg(16, 12)], [await jpeg(), await jpeg(8, 8)]]) {
      expect(await forward(multiImage([first, ...others]), 'jpeg')).toEqual(first);
    }
  });

  it('loses what tells of a gain map along with it', async () => {
    const first = await jpeg();
    const xmp = '<x:xmpmeta xmlns:x="adobe:ns:meta/" xmlns:GContainer="…"/>';
    const main = withJpegSegments(first, [
      jpegSegment(0xe1, `http://ns.adobe.com/xap/1.0/\0${xmp}`),
      jpegSegment(0xe2, 'urn:iso:std:iso:ts:21496:-1\0\0\0\0\0'),
    ]);
    const ultraHdr = multiImage([main, await jpeg(16, 12)]);
    expect(await forward(ultraHdr, 'jpeg')).toEqual(first);
  });

  it.each(['II', 'MM'] as const)(
    'keeps orientation and density of EXIF in %s order only',
    async (order) => {
      const plain = await jpeg();
      const taken = withJpegSegments(plain, [exifSegment(cameraExif(order))]);
      const sent = await forward(taken, 'jpeg');
      expect(sent).toEqual(withJpegSegments(plain, [exifSegment(REDUCED)]));
      const { orientation, density, autoOrient } = await sharp(taken).metadata();
      expect(orientation).toBe(6);
      expect(await sharp(sent).metadata()).toMatchObject({ orientation, density, autoOrient });
      expect(await forward(sent, 'jpeg')).toEqual(sent);
    },
  );

  it('is not ended by the thumbnail in its EXIF', async () => {
    const plain = await jpeg();
    const exif = Buffer.concat([cameraExif(), await jpeg(16, 12)]);
    const sent = await forward(withJpegSegments(plain, [exifSegment(exif)]), 'jpeg');
    expect(sent).toEqual(withJpegSegments(plain, [exifSegment(REDUCED)]));
  });

  it.each([
    ['XMP', 0xe1, `http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>${SECRET}</x:xmpmeta>`],
    ['XMP in parts', 0xe1, `http://ns.adobe.com/xmp/extension/\0${SECRET}`],
    ['EXIF that cannot be read', 0xe1, `Exif\0\0${SECRET}`],
    [
      'EXIF without orientation and density',
      0xe1,
      `Exif\0\0${tiff([[0x010f, 2, SECRET]]).toString('latin1')}`,
    ],
    ['FlashPix', 0xe2, `FPXR\0${SECRET}`],
    ['a text that begins like a profile', 0xe2, `ICC_PROFILE ${SECRET}`],
    ['a second kind of thumbnail', 0xe0, `JFXX\0\x10${SECRET}`],
    ['content credentials', 0xeb, `JP\0\x01${SECRET}`],
    ['Photoshop resources with IPTC', 0xed, `Photoshop 3.0\x008BIM${SECRET}`],
    ['an unknown segment', 0xee, `Adebo${SECRET}`],
    ['a comment', 0xfe, SECRET],
    ['an empty comment', 0xfe, ''],
  ])('loses %s', async (_, code, data) => {
    const plain = await jpeg();
    expect(await forward(withJpegSegments(plain, [jpegSegment(code, data)]), 'jpeg')).toEqual(
      plain,
    );
  });

  it('loses the thumbnail in its JFIF header, and what follows a colour transform', async () => {
    const plain = await sharp(await jpeg())
      .toColourspace('cmyk')
      .jpeg()
      .toBuffer();
    const segments = jpegSegments(plain);
    const adobe = segments.find(({ code }) => code === 0xee)?.bytes ?? Buffer.alloc(0);
    const jfif = Buffer.from('JFIF\0\x01\x02\x01\x01\x2c\x01\x2c', 'latin1');
    const others = segments.filter(({ code }) => code !== 0xe0 && code !== 0xee);
    const fileOf = (jfifTail: string, adobeTail: string) =>
      Buffer.concat([
        plain.subarray(0, 2),
        jpegSegment(0xe0, Buffer.concat([jfif, Buffer.from(jfifTail, 'latin1')])),
        jpegSegment(0xee, Buffer.concat([adobe.subarray(4), Buffer.from(adobeTail)])),
        ...others.map(({ bytes }) => bytes),
      ]);
    expect(adobe.length).toBe(16);
    const sent = await forward(fileOf('\x02\x02thumbnail...', SECRET), 'jpeg');
    expect(sent).toEqual(fileOf('\0\0', ''));
    expect(await sharp(sent).metadata()).toMatchObject({ space: 'cmyk', density: 300 });
  });

  it('keeps its colour profile, also in parts', async () => {
    const profiled = await sharp(await jpeg())
      .withIccProfile('p3')
      .jpeg()
      .toBuffer();
    expect(jpegSegments(profiled).some(({ code }) => code === 0xe2)).toBe(true);
    expect(await forward(profiled, 'jpeg')).toEqual(profiled);
    const parts = ['\x01\x02first', '\x02\x02second'].map((part) =>
      jpegSegment(0xe2, `ICC_PROFILE\0${part}`),
    );
    const inParts = withJpegSegments(await jpeg(), parts);
    expect(await forward(inParts, 'jpeg')).toEqual(inParts);
  });

  it('loses bytes between its segments, and keeps its pixels', async () => {
    const plain = await jpeg();
    const segments = jpegSegments(plain);
    const padded = Buffer.concat([
      plain.subarray(0, 2),
      ...segments.flatMap(({ bytes }) => [
        Buffer.from(`\xff\xff\0${SECRET}\xff\xff\xff`, 'latin1'),
        bytes,
      ]),
    ]);
    const sent = await forward(padded, 'jpeg');
    expect(sent).toEqual(plain);
  });

  it('loses what stands between its scans, and keeps every scan', async () => {
    const progressive = await sharp(await jpeg())
      .jpeg({ progressive: true })
      .toBuffer();
    expect(await forward(progressive, 'jpeg')).toEqual(progressive);
    const scan = Buffer.from([0xff, 0xda]);
    const last = progressive.lastIndexOf(scan);
    expect(last).toBeGreaterThan(progressive.indexOf(scan));
    const commented = Buffer.concat([
      progressive.subarray(0, last),
      jpegSegment(0xfe, SECRET),
      exifSegment(cameraExif()),
      progressive.subarray(last),
    ]);
    expect(await forward(commented, 'jpeg')).toEqual(progressive);
  });
});

describe('a PNG on its way to an upstream', () => {
  it('ends with its end chunk', async () => {
    const plain = await png();
    for (const tail of ['<script>x', `PK\x03\x04${SECRET}`]) {
      expect(await forward(Buffer.concat([plain, Buffer.from(tail)]), 'png')).toEqual(plain);
    }
  });

  it.each([
    ['text', pngChunk('tEXt', `Comment\0${SECRET}`)],
    ['compressed text', pngChunk('zTXt', `Raw profile type exif\0\0${SECRET}`)],
    ['XMP', pngChunk('iTXt', `XML:com.adobe.xmp\0\0\0\0\0${SECRET}`)],
    ['the time', pngChunk('tIME', Buffer.from([7, 230, 1, 1, 0, 0, 0]))],
    ['content credentials', pngChunk('caBX', SECRET)],
    ['a private chunk', pngChunk('prIv', SECRET)],
    ['a text under the name of its density', pngChunk('pHYs', SECRET)],
    ['EXIF that cannot be read', pngChunk('eXIf', SECRET)],
  ])('loses %s, before its image data and behind', async (_, chunk) => {
    const plain = await png();
    for (const place of ['IDAT', 'IEND']) {
      expect(await forward(withPngChunks(plain, place, [chunk]), 'png')).toEqual(plain);
    }
  });

  it('keeps its colours and its density', async () => {
    const kept = [
      pngChunk('gAMA', Buffer.from([0, 0, 0xb1, 0x8f])),
      pngChunk('cHRM', Buffer.alloc(32, 1)),
      pngChunk('sBIT', Buffer.from([8, 8, 8])),
      pngChunk('cICP', Buffer.from([1, 13, 0, 1])),
      pngChunk('pHYs', Buffer.from([0, 0, 0x2e, 0x23, 0, 0, 0x2e, 0x23, 1])),
      pngChunk('tRNS', Buffer.from([0, 1, 0, 2, 0, 3])),
    ];
    const coloured = withPngChunks(await png(), 'IDAT', kept);
    expect(await forward(coloured, 'png')).toEqual(coloured);
    const profiled = await sharp(await png())
      .withIccProfile('p3')
      .png()
      .toBuffer();
    expect(pngChunks(profiled).map(({ type }) => type)).toContain('iCCP');
    expect(await forward(profiled, 'png')).toEqual(profiled);
    const palette = await sharp(await pngWithAlpha())
      .png({ palette: true })
      .toBuffer();
    expect(pngChunks(palette).map(({ type }) => type)).toContain('PLTE');
    expect(await forward(palette, 'png')).toEqual(palette);
  });

  it('keeps orientation and density of its EXIF only', async () => {
    const plain = await png();
    const taken = withPngChunks(plain, 'IDAT', [pngChunk('eXIf', cameraExif('MM'))]);
    const sent = await forward(taken, 'png');
    expect(sent).toEqual(withPngChunks(plain, 'IDAT', [pngChunk('eXIf', REDUCED)]));
    expect((await sharp(sent).metadata()).autoOrient).toEqual({ width: 48, height: 64 });
    expect(await forward(sent, 'png')).toEqual(sent);
  });

  it('is its default image when it is animated', async () => {
    const plain = await png();
    const control = Buffer.alloc(8);
    control.writeUInt32BE(2);
    const still = withPngChunks(plain, 'IDAT', [
      pngChunk('acTL', control),
      pngChunk('fcTL', Buffer.alloc(26)),
    ]);
    const animated = withPngChunks(still, 'IEND', [
      pngChunk('fcTL', Buffer.alloc(26)),
      pngChunk('fdAT', Buffer.alloc(500)),
    ]);
    expect(await forward(animated, 'png')).toEqual(plain);
  });

  it('is sent although text takes more than a megabyte of it', async () => {
    const plain = await noisePng(600_000);
    const texts = [pngChunk('tEXt', `a\0${'x'.repeat(3_000_000)}`)];
    for (const place of ['IDAT', 'IEND']) {
      const sent = await forward(withPngChunks(plain, place, texts), 'png');
      expect(sent.equals(plain)).toBe(true);
    }
  });
});

describe('a WebP on its way to an upstream', () => {
  const TAKEN = 0x08;
  const XMP = 0x04;
  const imageOf = (file: Buffer) => riffChunks(file).map(({ bytes }) => bytes);
  const extended = (flags: number, chunks: readonly Buffer[]) =>
    webpOf([vp8x(flags, 64, 48), ...chunks]);

  it('loses EXIF with its orientation, and XMP, and says so in its header', async () => {
    const image = imageOf(await webp());
    const bare = extended(0, image);
    const taken = extended(TAKEN | XMP, [
      ...image,
      riffChunk('EXIF', cameraExif()),
      riffChunk('XMP ', `<x:xmpmeta>${SECRET}</x:xmpmeta>`),
    ]);
    const sent = await forward(taken, 'webp');
    expect(sent).toEqual(bare);
    expect(await pixels(sent)).toEqual(await pixels(taken));
    expect((await sharp(sent).metadata()).orientation).toBeUndefined();
  });

  it('loses chunks that nobody knows, and what stands behind its end', async () => {
    const plain = await webp();
    expect(await forward(Buffer.concat([plain, Buffer.from(SECRET)]), 'webp')).toEqual(plain);
    const image = imageOf(plain);
    const junk = riffChunk('junk', SECRET);
    const bare = extended(0, image);
    expect(await forward(webpOf([...image, junk]), 'webp')).toEqual(plain);
    expect(await forward(extended(0, [junk, ...image]), 'webp')).toEqual(bare);
    expect(await forward(extended(0, [...image, ...image]), 'webp')).toEqual(bare);
    // A profile that is promised and not there; and one that is there and not promised.
    expect(await forward(extended(0x20, image), 'webp')).toEqual(bare);
    expect(await forward(extended(0, [riffChunk('ICCP', SECRET), ...image]), 'webp')).toEqual(bare);
  });

  it('keeps its colour profile and its transparency', async () => {
    const clear = sharp(await pngWithAlpha()).withIccProfile('p3');
    for (const made of [clear.webp(), clear.webp({ lossless: true })]) {
      const profiled = await made.toBuffer();
      expect(riffChunks(profiled).map(({ type }) => type)).toContain('ICCP');
      expect(await forward(profiled, 'webp')).toEqual(profiled);
    }
  });

  it('has the last byte of padding that its writer left out', async () => {
    const odd = extended(0x20, [riffChunk('ICCP', 'profile'), ...imageOf(await webp())]);
    expect(await forward(odd, 'webp')).toEqual(odd);
    const image = riffChunks(await webp())[0]?.bytes ?? Buffer.alloc(0);
    const length = image.readUInt32LE(4);
    if (length % 2 === 0) image.writeUInt32LE(length - 1, 4);
    const padded = webpOf([image.subarray(0, -1), Buffer.alloc(1)]);
    for (const unpadded of [padded.subarray(0, -1), padded]) {
      const uncounted = Buffer.from(unpadded);
      uncounted.writeUInt32LE(padded.length - 9, 4);
      const sent = await forward(uncounted, 'webp');
      expect(sent.length).toBe(padded.length);
      expect(sent.readUInt32LE(4)).toBe(padded.length - 8);
      expect(await pixels(sent)).toEqual(await pixels(padded));
    }
  });
});

it('sends a file as it is where metadata is to be forwarded', async () => {
  const taken = Buffer.concat([
    withJpegSegments(await jpeg(), [exifSegment(cameraExif())]),
    await jpeg(16, 12),
  ]);
  expect(await forward(taken, 'jpeg', true)).toEqual(taken);
});
