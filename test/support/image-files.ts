import { crc32 } from 'node:zlib';

/** A chunk of a PNG file (PNG, third edition, 5.3). */
export function pngChunk(type: string, data: Uint8Array | string = ''): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), Buffer.from(data)]);
  const chunk = Buffer.alloc(body.length + 8);
  chunk.writeUInt32BE(body.length - 4, 0);
  body.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(body), body.length + 4);
  return chunk;
}

/** Chunks, in order, with the eight bytes before the first. */
export function pngChunks(png: Buffer): { type: string; bytes: Buffer }[] {
  const chunks = [];
  for (let at = 8; at < png.length; ) {
    const end = at + 12 + png.readUInt32BE(at);
    chunks.push({ type: png.toString('latin1', at + 4, at + 8), bytes: png.subarray(at, end) });
    at = end;
  }
  return chunks;
}

/** Inserts chunks before the first one of `type`. */
export function withPngChunks(png: Buffer, type: string, inserted: readonly Buffer[]): Buffer {
  const chunks = pngChunks(png).map((chunk) => chunk.bytes);
  const at = pngChunks(png).findIndex((chunk) => chunk.type === type);
  chunks.splice(at, 0, ...inserted);
  return Buffer.concat([png.subarray(0, 8), ...chunks]);
}

/** A segment of a JPEG file (T.81, B.1.1.4). */
export function jpegSegment(code: number, data: Uint8Array | string): Buffer {
  const body = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
  const head = Buffer.from([0xff, code, 0, 0]);
  head.writeUInt16BE(body.length + 2, 2);
  return Buffer.concat([head, body]);
}

/** Segments up to the first scan, by their codes, with what follows as the last one. */
export function jpegSegments(jpeg: Buffer): { code: number; bytes: Buffer }[] {
  const segments = [];
  for (let at = 2; ; ) {
    const code = jpeg[at + 1] ?? 0;
    if (code === 0xda) return [...segments, { code, bytes: jpeg.subarray(at) }];
    const end = at + 2 + jpeg.readUInt16BE(at + 2);
    segments.push({ code, bytes: jpeg.subarray(at, end) });
    at = end;
  }
}

/** Inserts segments right behind the start of the image. */
export function withJpegSegments(jpeg: Buffer, inserted: readonly Buffer[]): Buffer {
  return Buffer.concat([jpeg.subarray(0, 2), ...inserted, jpeg.subarray(2)]);
}

/** A TIFF structure with one directory: tag, type (2 text, 3 short, 5 rational), value. */
export function tiff(
  entries: readonly (readonly [tag: number, type: 2 | 3 | 5, value: string | number])[],
  order: 'II' | 'MM' = 'II',
): Buffer {
  const isLittle = order === 'II';
  const u16 = (value: number) => {
    const bytes = Buffer.alloc(2);
    if (isLittle) bytes.writeUInt16LE(value);
    else bytes.writeUInt16BE(value);
    return bytes;
  };
  const u32 = (value: number) => {
    const bytes = Buffer.alloc(4);
    if (isLittle) bytes.writeUInt32LE(value);
    else bytes.writeUInt32BE(value);
    return bytes;
  };
  let place = 8 + 2 + entries.length * 12 + 4;
  const far: Buffer[] = [];
  const directory = entries.map(([tag, type, value]) => {
    if (type === 3) {
      return Buffer.concat([u16(tag), u16(type), u32(1), u16(Number(value)), u16(0)]);
    }
    const content =
      type === 2
        ? Buffer.from(`${value}\0`.padEnd(6, '\0'), 'latin1')
        : Buffer.concat([u32(Number(value)), u32(1)]);
    far.push(content);
    const entry = [u16(tag), u16(type), u32(type === 2 ? content.length : 1), u32(place)];
    place += content.length;
    return Buffer.concat(entry);
  });
  return Buffer.concat([
    Buffer.from(order),
    u16(42),
    u32(8),
    u16(entries.length),
    ...directory,
    u32(0),
    ...far,
  ]);
}

/** Found in no file that goes to an upstream. */
export const SECRET = 'SECRET-48.8584N-2.2945E-serial-4711';

/** As cameras write it: their make, their number, a turn to the right, 300 dots per inch. */
export function cameraExif(order: 'II' | 'MM' = 'II', orientation = 6): Buffer {
  return tiff(
    [
      [0x010f, 2, `make ${SECRET}`],
      [0x0112, 3, orientation],
      [0x011a, 5, 300],
      [0x011b, 5, 300],
      [0x0128, 3, 2],
      [0xa431, 2, SECRET],
    ],
    order,
  );
}

/** The segment of EXIF metadata in a JPEG file. */
export function exifSegment(exif: Buffer): Buffer {
  return jpegSegment(0xe1, Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), exif]));
}

/** A JPEG file of several images (CIPA DC-007), of which the first one says where they are. */
export function multiImage(images: readonly Buffer[]): Buffer {
  const entries = Buffer.alloc(16 * images.length);
  const index = Buffer.concat([
    Buffer.from('MPF\0', 'latin1'),
    tiff([[0xb001, 3, images.length]]),
    entries,
  ]);
  const [first = Buffer.alloc(0), ...others] = images;
  return Buffer.concat([withJpegSegments(first, [jpegSegment(0xe2, index)]), ...others]);
}

/** A chunk of a RIFF file, padded to an even length. */
export function riffChunk(type: string, data: Uint8Array | string): Buffer {
  const body = Buffer.from(data);
  const head = Buffer.alloc(8);
  head.write(type, 'latin1');
  head.writeUInt32LE(body.length, 4);
  return Buffer.concat([head, body, Buffer.alloc(body.length % 2)]);
}

export function riffChunks(webp: Buffer): { type: string; bytes: Buffer }[] {
  const chunks = [];
  for (let at = 12; at + 8 <= webp.length; ) {
    const length = webp.readUInt32LE(at + 4);
    const end = at + 8 + length + (length % 2);
    chunks.push({ type: webp.toString('latin1', at, at + 4), bytes: webp.subarray(at, end) });
    at = end;
  }
  return chunks;
}

export function webpOf(chunks: readonly Buffer[]): Buffer {
  return riffChunk('RIFF', Buffer.concat([Buffer.from('WEBP'), ...chunks]));
}

/** The header of an extended WebP file (RFC 9649, 2.7). */
export function vp8x(flags: number, width: number, height: number): Buffer {
  const data = Buffer.alloc(10);
  data[0] = flags;
  data.writeUIntLE(width - 1, 4, 3);
  data.writeUIntLE(height - 1, 7, 3);
  return riffChunk('VP8X', data);
}
