import { randomBytes } from 'node:crypto';
import { constants, deflateRawSync, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { pngChunk, riffChunk } from './image-files.ts';

/** A photo-like image: a gradient with noise, so that every format has something to encode. */
function photo(width: number, height: number, channels: 3 | 4 = 3) {
  const pixels = randomBytes(width * height * channels);
  for (let i = 0; i < pixels.length; i += 1) {
    const noise = pixels[i] ?? 0;
    pixels[i] = (Math.floor((i / pixels.length) * 200) + (noise >> 3)) & 0xff;
  }
  return sharp(pixels, { raw: { width, height, channels } });
}

export function jpeg(width = 64, height = 48): Promise<Buffer> {
  return photo(width, height).jpeg().toBuffer();
}

export function png(width = 64, height = 48): Promise<Buffer> {
  return photo(width, height).png().toBuffer();
}

export function webp(width = 64, height = 48): Promise<Buffer> {
  return photo(width, height).webp().toBuffer();
}

export function pngWithAlpha(width = 64, height = 48): Promise<Buffer> {
  return photo(width, height, 4).png().toBuffer();
}

/** A JPEG whose rows lie on their side: EXIF orientation 6, so `height`x`width` when shown. */
export function turnedJpeg(width = 64, height = 48): Promise<Buffer> {
  return photo(width, height).jpeg().withMetadata({ orientation: 6 }).toBuffer();
}

/** A mask as the edits API wants it: opaque, with a transparent rectangle in the middle. */
export function mask(width = 64, height = 48): Promise<Buffer> {
  const pixels = Buffer.alloc(width * height * 4, 0xff);
  for (let y = Math.floor(height / 4); y < (height * 3) / 4; y += 1) {
    for (let x = Math.floor(width / 4); x < (width * 3) / 4; x += 1) {
      pixels[(y * width + x) * 4 + 3] = 0;
    }
  }
  return sharp(pixels, { raw: { width, height, channels: 4 } })
    .png()
    .toBuffer();
}

/** A whole PNG of exactly `bytes` bytes, all of them image data that does not compress. At least 500. */
export async function noisePng(bytes: number): Promise<Buffer> {
  const width = Math.max(1, Math.floor(Math.sqrt(bytes / 3)));
  const stride = 1 + 3 * width;
  // Two kinds of padding make up any number from 44 on.
  const framing = 8 + 25 + 12 + 12 + 44 + 16 * Math.ceil(bytes / 16_384);
  const height = Math.floor((bytes - framing) / stride);
  if (height < 1) throw new RangeError(`no PNG of ${bytes} bytes`);
  const rows = randomBytes(height * stride);
  for (let row = 0; row < height; row += 1) rows[row * stride] = 0;
  const stored = deflateSync(rows, { level: 0 });
  const padding = bytes - (8 + 25 + 12 + 12 + stored.length);
  // An empty stored block takes 5 bytes, an empty IDAT chunk 12.
  const emptyChunks =
    Array.from({ length: 5 }, (_, n) => n).find((n) => (padding - 12 * n) % 5 === 0) ?? 0;
  const emptyBlocks = Buffer.alloc(padding - 12 * emptyChunks);
  for (let at = 0; at < emptyBlocks.length; at += 5) emptyBlocks.writeUInt16BE(0xffff, at + 3);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    pngChunk('IHDR', header),
    pngChunk('IDAT', Buffer.concat([stored.subarray(0, 2), emptyBlocks, stored.subarray(2)])),
    ...Array.from({ length: emptyChunks }, () => pngChunk('IDAT', Buffer.alloc(0))),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

/** See `blankPng`: 16,000 a side are 1 MB here and 1 GB decoded. */
export function hugePng(side = 16_000): Buffer {
  return blankPng({ side });
}

/**
 * A valid RGBA PNG of `side` x `side` transparent pixels, made without ever holding them: one
 * compressed mebibyte of zeros is repeated.
 */
export function blankPng(options: {
  side: number;
  /** @default 8 */
  depth?: 8 | 16;
  isInterlaced?: boolean;
}): Buffer {
  const { side, depth = 8, isInterlaced = false } = options;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([depth, 6, 0, 0, isInterlaced ? 1 : 0], 8);

  const length = scanlineBytes(side, depth / 2, isInterlaced);
  const block = 1024 * 1024;
  // A full flush ends on a byte boundary and forgets the history, so blocks can be joined.
  const zeros = (bytes: number) =>
    deflateRawSync(Buffer.alloc(bytes), { level: 9, finishFlush: constants.Z_FULL_FLUSH });
  const repeated = zeros(block);
  const blocks = Array.from({ length: Math.floor(length / block) }, () => repeated);
  const checksum = Buffer.alloc(4);
  // Adler-32 of `length` zero bytes (RFC 1950, 8.2).
  checksum.writeUInt32BE((length % 65_521) * 65_536 + 1);
  const data = Buffer.concat([
    Buffer.from([0x78, 0xda]),
    ...blocks,
    zeros(length % block),
    deflateRawSync(Buffer.alloc(0)),
    checksum,
  ]);
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    pngChunk('IHDR', header),
    pngChunk('IDAT', data),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Of all rows, each with its filter; of seven reduced images when it is interlaced (PNG, 8.1). */
function scanlineBytes(side: number, pixelBytes: number, isInterlaced: boolean): number {
  const passes = isInterlaced
    ? [
        [0, 8, 0, 8],
        [4, 8, 0, 8],
        [0, 4, 4, 8],
        [2, 4, 0, 4],
        [0, 2, 2, 4],
        [1, 2, 0, 2],
        [0, 1, 1, 2],
      ]
    : [[0, 1, 0, 1]];
  return passes.reduce((sum, [left = 0, across = 1, top = 0, down = 1]) => {
    const columns = Math.ceil((side - left) / across);
    return sum + (columns > 0 ? Math.ceil((side - top) / down) * (1 + columns * pixelBytes) : 0);
  }, 0);
}

/** An animated WebP of one-pixel frames (RFC 9649, 2.7). */
export async function animatedWebp(frames: number): Promise<Buffer> {
  const still = await sharp({ create: { width: 1, height: 1, channels: 3, background: 'red' } })
    .webp({ lossless: true })
    .toBuffer();
  const bitstream = still.subarray(12);
  const canvas = Buffer.alloc(10);
  canvas[0] = 0x02;
  const frame = riffChunk('ANMF', Buffer.concat([frameHeader(), bitstream]));
  const body = Buffer.concat([
    Buffer.from('WEBP'),
    riffChunk('VP8X', canvas),
    riffChunk('ANIM', Buffer.alloc(6)),
    ...Array.from({ length: frames }, () => frame),
  ]);
  return riffChunk('RIFF', body);
}

function frameHeader(): Buffer {
  const header = Buffer.alloc(16);
  header.writeUIntLE(40, 12, 3);
  return header;
}
