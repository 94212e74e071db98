import fc from 'fast-check';
import sharp, { type JpegOptions, type PngOptions, type WebpOptions } from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ImageFormat } from '../../../../src/images/inspect/image-format.ts';
import {
  AnimationError,
  BrokenStructureError,
} from '../../../../src/images/inspect/structure/input.ts';
import { createImageParser } from '../../../../src/images/inspect/structure/parse-image.ts';
import {
  bytesIn,
  type ImageStructure,
} from '../../../../src/images/inspect/structure/structure.ts';
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
  vp8x,
  webpOf,
  withJpegSegments,
  withPngChunks,
} from '../../../support/image-files.ts';
import { animatedWebp, jpeg, png, pngWithAlpha, webp } from '../../../support/test-images.ts';

function parse(format: ImageFormat, content: Buffer, chunkBytes = content.length): ImageStructure {
  const parser = createImageParser(format);
  for (let at = 0; at < content.length && !parser.isDone; at += chunkBytes) {
    parser.write(content.subarray(at, at + chunkBytes));
  }
  return parser.end();
}

function sentOf(content: Buffer, { parts }: ImageStructure): Buffer {
  return Buffer.concat(
    parts.map((part) =>
      part instanceof Uint8Array ? part : content.subarray(part.start, part.end),
    ),
  );
}

const broken = (format: ImageFormat, content: Buffer) => {
  expect(() => parse(format, content)).toThrow(BrokenStructureError);
};

describe('a file of any format', () => {
  let samples: [ImageFormat, Buffer][];
  beforeAll(async () => {
    const taken = exifSegment(cameraExif('MM'));
    const extended = sharp(await pngWithAlpha()).withIccProfile('p3');
    samples = [
      ['jpeg', withJpegSegments(await jpeg(), [taken, jpegSegment(0xfe, 'comment')])],
      [
        'jpeg',
        await sharp(await jpeg())
          .jpeg({ progressive: true })
          .toBuffer(),
      ],
      ['jpeg', multiImage([await jpeg(), await jpeg(16, 12)])],
      ['png', withPngChunks(await pngWithAlpha(), 'IDAT', [pngChunk('eXIf', cameraExif())])],
      ['png', withPngChunks(await png(), 'IEND', [pngChunk('tEXt', 'a\0b')])],
      ['webp', await webp()],
      ['webp', await extended.webp({ lossless: true }).toBuffer()],
      ['webp', Buffer.concat([await extended.webp().toBuffer(), Buffer.from('behind')])],
      ['webp', await animatedWebp(1)],
    ];
  });

  it('is parsed to the same in chunks of any size', () => {
    for (const [format, content] of samples) {
      const whole = parse(format, content);
      for (const chunkBytes of [1, 2, 3, 7, 64, 1_000]) {
        expect(parse(format, content, chunkBytes)).toEqual(whole);
      }
    }
  });

  it('becomes a file that goes out unchanged, with the same sides and pixels', async () => {
    for (const [format, content] of samples) {
      const found = parse(format, content);
      const sent = sentOf(content, found);
      const again = parse(format, sent);
      expect(again).toEqual({ ...found, parts: [{ start: 0, end: sent.length }] });
      expect(await sharp(sent).raw().toBuffer()).toEqual(await sharp(content).raw().toBuffer());
    }
  });

  it('is never taken for whole when it is cut', () => {
    for (const [format, content] of samples) {
      const end = parse(format, content).parts.at(-1);
      const last = end === undefined || end instanceof Uint8Array ? content.length : end.end;
      for (let bytes = 0; bytes < last; bytes += 1 + Math.floor(bytes / 20)) {
        broken(format, content.subarray(0, bytes));
      }
    }
  });

  it('is parsed or refused, whatever its bytes, and what is sent of it is parsed to the same', () => {
    const edits = fc.array(
      fc.record({
        at: fc.nat({ max: 4_000 }),
        remove: fc.nat({ max: 40 }),
        insert: fc.uint8Array({ maxLength: 40 }),
      }),
      { minLength: 1, maxLength: 4 },
    );
    fc.assert(
      fc.property(fc.nat(), edits, fc.integer({ min: 1, max: 5_000 }), (index, changes, size) => {
        const [format, sample] = samples[index % samples.length] ?? ['png', Buffer.alloc(0)];
        let content = sample;
        for (const { at, remove, insert } of changes) {
          const from = at % content.length;
          content = Buffer.concat([
            content.subarray(0, from),
            insert,
            content.subarray(from + remove),
          ]);
        }
        let found: ImageStructure;
        try {
          found = parse(format, content, size);
        } catch (error) {
          const isRefused =
            error instanceof BrokenStructureError || error instanceof AnimationError;
          if (!isRefused) throw error;
          return;
        }
        let at = 0;
        for (const part of found.parts) {
          if (part instanceof Uint8Array) continue;
          expect(part.start).toBeGreaterThanOrEqual(at);
          expect(part.end).toBeGreaterThan(part.start);
          at = part.end;
        }
        expect(at).toBeLessThanOrEqual(content.length);
        const sent = sentOf(content, found);
        expect(sent.length).toBe(bytesIn(found.parts));
        expect(parse(format, sent)).toEqual({ ...found, parts: [{ start: 0, end: sent.length }] });
      }),
      { numRuns: 3_000 },
    );
  });
});

it('a file of any format is refused with more than 100,000 segments', async () => {
  const many = (segment: Buffer) => Array.from({ length: 100_001 }, () => segment);
  broken('jpeg', withJpegSegments(await jpeg(), many(jpegSegment(0xfe, ''))));
  broken('png', withPngChunks(await png(), 'IDAT', many(pngChunk('teXt'))));
  const [image = Buffer.alloc(0)] = riffChunks(await webp()).map(({ bytes }) => bytes);
  broken('webp', webpOf([image, ...many(riffChunk('junk', ''))]));
});

describe('a JPEG', () => {
  it('is refused without image data, without a size, and with two of either', async () => {
    const plain = await jpeg();
    const segments = jpegSegments(plain);
    const join = (bytes: Buffer[]) => Buffer.concat([plain.subarray(0, 2), ...bytes]);
    const frame = segments.find(({ code }) => code === 0xc0)?.bytes ?? Buffer.alloc(0);
    const end = Buffer.from([0xff, 0xd9]);
    const unless = (code: number) =>
      segments.filter((segment) => segment.code !== code).map(({ bytes }) => bytes);
    broken('jpeg', join([...unless(0xda), end]));
    broken('jpeg', join(unless(0xc0)));
    broken('jpeg', withJpegSegments(plain, [frame]));
    broken('jpeg', withJpegSegments(plain, [Buffer.from([0xff, 0xd8])]));
    broken('jpeg', withJpegSegments(plain, [Buffer.from([0xff, 0xe5, 0, 1])]));
    const flat = Buffer.from(frame);
    flat.writeUInt16BE(0, 5);
    broken('jpeg', join(segments.map(({ code, bytes }) => (code === 0xc0 ? flat : bytes))));
  });

  it.each([0xc3, 0xc5, 0xc8, 0xcf, 0xdf, 0xf0, 0xfd, 0x02, 0xbf])(
    'is refused with a marker that decoders do not read: %i',
    async (code) => broken('jpeg', withJpegSegments(await jpeg(), [jpegSegment(code, 'anything')])),
  );

  it('keeps its restarts, and stuffed zeros do not end its data', async () => {
    const segments = jpegSegments(await jpeg());
    const scan = segments.at(-1)?.bytes ?? Buffer.alloc(0);
    const head = scan.subarray(0, 2 + scan.readUInt16BE(2));
    const data = Buffer.from('ff00ffd0ff00ffd7ffff00ffffd1abff', 'hex');
    const content = Buffer.concat([
      Buffer.from([0xff, 0xd8]),
      jpegSegment(0xdd, Buffer.from([0, 4])),
      ...segments.slice(0, -1).map(({ bytes }) => bytes),
      head,
      data,
      Buffer.from('ffd9', 'hex'),
    ]);
    expect(parse('jpeg', content).parts).toEqual([{ start: 0, end: content.length }]);
  });

  it('is refused with more than 100 scans, and with thousands of separate pieces', async () => {
    const segments = jpegSegments(await jpeg());
    const scan = segments.at(-1)?.bytes ?? Buffer.alloc(0);
    const head = scan.subarray(0, 2 + scan.readUInt16BE(2));
    const start = Buffer.from([0xff, 0xd8]);
    const tables = segments.slice(0, -1).map(({ bytes }) => bytes);
    const scans = (count: number) => Array.from({ length: count }, () => head);
    expect(parse('jpeg', Buffer.concat([start, ...tables, ...scans(99), scan]))).toBeDefined();
    broken('jpeg', Buffer.concat([start, ...tables, ...scans(100), scan]));
    const pieces = Array.from({ length: 5_000 }, () => [
      jpegSegment(0xfe, ''),
      jpegSegment(0xdd, Buffer.from([0, 0])),
    ]);
    broken('jpeg', Buffer.concat([start, ...pieces.flat(), ...tables, scan]));
  });

  it('tells what a decoder holds of it: all coefficients of what comes in several scans', async () => {
    const photo = sharp(await jpeg(640, 480));
    const held = async (options: JpegOptions) =>
      parse('jpeg', await photo.jpeg(options).toBuffer()).decoderBytes;
    expect(await held({})).toBe(0);
    expect(await held({ progressive: true })).toBe(640 * 480 * 1.5 * 2);
    expect(await held({ progressive: true, chromaSubsampling: '4:4:4' })).toBe(640 * 480 * 3 * 2);
    const plain = await jpeg(640, 480);
    // As if its first scan had the first component only.
    plain[plain.indexOf(Buffer.from([0xff, 0xda])) + 4] = 1;
    expect(parse('jpeg', plain).decoderBytes).toBe(640 * 480 * 1.5 * 2);
  });
});

describe('a PNG', () => {
  it('is refused with a wrong header, without data, palette or a proper end', async () => {
    const plain = await png();
    const chunks = pngChunks(plain);
    const join = (bytes: Buffer[]) => Buffer.concat([plain.subarray(0, 8), ...bytes]);
    const [header = Buffer.alloc(0), ...others] = chunks.map(({ bytes }) => bytes);
    const withHeader = (change: (data: Buffer) => void) => {
      const data = Buffer.from(header.subarray(8, 21));
      change(data);
      return join([pngChunk('IHDR', data), ...others]);
    };
    expect(
      parse(
        'png',
        withHeader(() => {}),
      ),
    ).toMatchObject({ width: 64, height: 48 });
    broken(
      'png',
      withHeader((data) => data.writeUInt32BE(0, 0)),
    );
    broken(
      'png',
      withHeader((data) => data.writeUInt32BE(0x80_00_00_00, 4)),
    );
    broken(
      'png',
      withHeader((data) => data.writeUInt8(3, 8)),
    );
    broken(
      'png',
      withHeader((data) => data.writeUInt8(5, 9)),
    );
    broken(
      'png',
      withHeader((data) => data.writeUInt8(1, 10)),
    );
    broken(
      'png',
      withHeader((data) => data.writeUInt8(2, 12)),
    );
    broken(
      'png',
      withHeader((data) => data.writeUInt8(3, 9)),
    );
    const damaged = Buffer.from(plain);
    damaged[18] = 1;
    broken('png', damaged);
    broken('png', join([header, pngChunk('IEND')]));
    broken('png', join([...chunks.slice(0, -1).map(({ bytes }) => bytes), pngChunk('IEND', 'x')]));
    broken('png', withPngChunks(plain, 'IDAT', [pngChunk('CgBI', 'x')]));
    broken('png', withPngChunks(plain, 'IDAT', [pngChunk('a\0bc', 'x')]));
  });

  it('has an alpha channel by its colour type or its transparent colours', async () => {
    const transparent = pngChunk('tRNS', Buffer.alloc(6));
    expect(parse('png', await png()).hasAlpha).toBe(false);
    expect(parse('png', await pngWithAlpha()).hasAlpha).toBe(true);
    expect(parse('png', withPngChunks(await png(), 'IDAT', [transparent])).hasAlpha).toBe(true);
    expect(parse('png', withPngChunks(await png(), 'IEND', [transparent])).hasAlpha).toBe(false);
  });

  it('tells what a decoder holds of it: all of it when it is interlaced', async () => {
    const clear = sharp(await pngWithAlpha(100, 50));
    const held = async (options: PngOptions) =>
      parse('png', await clear.png(options).toBuffer()).decoderBytes;
    expect(await held({})).toBe(0);
    expect(await held({ progressive: true })).toBe(100 * 50 * 4);
  });
});

describe('a WebP', () => {
  const image = async () => riffChunks(await webp()).map(({ bytes }) => bytes);

  it('is refused when it begins with something else, or has no image of its size', async () => {
    broken('webp', webpOf([riffChunk('EXIF', 'x'), ...(await image())]));
    broken('webp', webpOf([vp8x(0, 64, 48)]));
    broken('webp', webpOf([vp8x(0, 64, 49), ...(await image())]));
    broken('webp', webpOf([vp8x(0x02, 64, 48), ...(await image())]));
    broken('webp', webpOf([riffChunk('VP8 ', Buffer.alloc(20))]));
    broken('webp', webpOf([riffChunk('VP8L', Buffer.alloc(20))]));
    broken('webp', webpOf([riffChunk('VP8X', Buffer.alloc(9)), ...(await image())]));
    broken('webp', webpOf([]));
  });

  it('is refused when a chunk is longer than the file says it is', async () => {
    const content = await webp();
    content.writeUInt32LE(content.readUInt32LE(16) + 2, 16);
    broken('webp', content);
  });

  it('may be an animation of one frame that holds nothing but an image, and of no more', async () => {
    expect(parse('webp', await animatedWebp(1))).toMatchObject({ width: 1, height: 1 });
    const two = await animatedWebp(2);
    expect(() => parse('webp', two)).toThrow(AnimationError);
    const frame = riffChunks(two).find(({ type }) => type === 'ANMF')?.bytes ?? Buffer.alloc(0);
    const talkative = riffChunk('ANMF', Buffer.concat([frame.subarray(8), riffChunk('EXIF', 'x')]));
    broken('webp', webpOf([vp8x(0x02, 1, 1), riffChunk('ANIM', Buffer.alloc(6)), talkative]));
  });

  it('has an alpha channel as its header or its image data say', async () => {
    const clear = sharp(await pngWithAlpha());
    expect(parse('webp', await webp()).hasAlpha).toBe(false);
    expect(parse('webp', await clear.webp().toBuffer()).hasAlpha).toBe(true);
    expect(parse('webp', await clear.webp({ lossless: true }).toBuffer()).hasAlpha).toBe(true);
  });

  it('tells what a decoder holds of it: all of it when it is lossless', async () => {
    const clear = sharp(await pngWithAlpha(100, 50));
    const held = async (options: WebpOptions, opaque = false) =>
      parse('webp', await clear.clone().flatten(opaque).webp(options).toBuffer()).decoderBytes;
    expect(await held({}, true)).toBe(0);
    expect(await held({})).toBe(100 * 50);
    expect(await held({ lossless: true })).toBe(100 * 50 * 4);
  });
});
