import { crc32 } from 'node:zlib';
import { readDisplayExif, writeDisplayExif } from './exif.ts';
import { BrokenStructureError, type Input } from './input.ts';
import { type CheckHeader, type ImageStructure, PartList } from './structure.ts';

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');
/** Length, type and checksum of a chunk. */
const FRAME_BYTES = 12;
const MAX_LENGTH = 0x7f_ff_ff_ff;

/** Samples per pixel and allowed depths by colour type (PNG, third edition, 11.2.1). */
const COLOURS: Readonly<Record<number, { samples: number; depths: readonly number[] }>> = {
  0: { samples: 1, depths: [1, 2, 4, 8, 16] },
  2: { samples: 3, depths: [8, 16] },
  3: { samples: 1, depths: [1, 2, 4, 8] },
  4: { samples: 2, depths: [8, 16] },
  6: { samples: 4, depths: [8, 16] },
};
const PALETTE = 3;
const WITH_ALPHA = [4, 6];

/** The chunks that are forwarded, with their maximum size. Decoders ignore longer ones. */
const KEPT: Readonly<Record<string, number>> = {
  PLTE: 768,
  IDAT: MAX_LENGTH,
  tRNS: 256,
  sBIT: 4,
  gAMA: 4,
  cHRM: 32,
  sRGB: 1,
  cICP: 4,
  mDCV: 24,
  cLLI: 8,
  iCCP: MAX_LENGTH,
  pHYs: 9,
};

/** Far more than the fields need. */
const MAX_EXIF_BYTES = 64 * 1024;

/**
 * Reads a PNG file (third edition) chunk by chunk to its IEND chunk, without inflating data.
 * Forwarded are the image, its colour space and density, and eXIf reduced to orientation and
 * density. Of an animated PNG, only the default image (4.9) is used, as in every reader that does
 * not know the extension.
 */
export function* parsePng(
  input: Input,
  checkHeader: CheckHeader,
): Generator<undefined, ImageStructure, undefined> {
  const parts = new PartList();
  const { width, height, colour, decoderBytes } = parseHeader(
    yield* input.take(SIGNATURE.length + FRAME_BYTES + 13),
    checkHeader,
  );
  parts.keep(0, input.offset);
  let hasAlpha = WITH_ALPHA.includes(colour);
  let orientation: number | null = null;
  let hasExif = false;
  const seen = new Set<string>();

  for (;;) {
    input.beginPiece();
    const start = input.offset;
    const head = yield* input.take(8);
    const length = head.readUInt32BE();
    const type = head.toString('latin1', 4);
    if (length > MAX_LENGTH || !/^[A-Za-z]{4}$/.test(type)) {
      throw new BrokenStructureError('has bytes between its chunks');
    }
    const end = start + FRAME_BYTES + length;
    const most = KEPT[type];
    if (type === 'IEND') {
      if (length > 0) throw new BrokenStructureError('has an end chunk that is not empty');
      if (!seen.has('IDAT')) throw new BrokenStructureError('has no image data');
      yield* input.skip(4);
      parts.keep(start, end);
      const { all } = parts;
      return { width, height, orientation: orientation ?? 1, hasAlpha, decoderBytes, parts: all };
    }
    if (most !== undefined && length <= most) {
      yield* input.skip(length + 4);
      parts.keep(start, end);
      if (type === 'IDAT' && colour === PALETTE && !seen.has('PLTE')) {
        throw new BrokenStructureError('has no palette');
      }
      if (type === 'tRNS' && !seen.has('IDAT')) hasAlpha = true;
      seen.add(type);
    } else if (type === 'eXIf' && !hasExif && !seen.has('IDAT')) {
      const data = yield* input.take(Math.min(length, MAX_EXIF_BYTES));
      yield* input.skip(length - data.length + 4);
      hasExif = true;
      const found = readDisplayExif(data);
      orientation = found.orientation;
      const reduced = writeDisplayExif(found);
      if (reduced?.equals(data)) parts.keep(start, end);
      else if (reduced !== null) parts.insert(chunk('eXIf', reduced));
    } else if (isCritical(type)) {
      throw new BrokenStructureError(`has a chunk that decoders do not read (${type})`);
    } else {
      yield* input.skip(length + 4);
    }
  }
}

function parseHeader(head: Buffer, checkHeader: CheckHeader) {
  const header = head.subarray(SIGNATURE.length);
  const isHeader =
    head.subarray(0, SIGNATURE.length).equals(SIGNATURE) &&
    header.readUInt32BE() === 13 &&
    header.toString('latin1', 4, 8) === 'IHDR' &&
    header.readUInt32BE(21) === crc32(header.subarray(4, 21));
  if (!isHeader) throw new BrokenStructureError('has no header');
  const width = header.readUInt32BE(8);
  const height = header.readUInt32BE(12);
  const [depth = 0, colour = 0, compression, filter, interlace = 0] = header.subarray(16, 21);
  const { samples, depths } = COLOURS[colour] ?? { samples: 0, depths: [] };
  const isKnown = depths.includes(depth) && compression === 0 && filter === 0 && interlace <= 1;
  if (!isKnown || width === 0 || height === 0 || width > MAX_LENGTH || height > MAX_LENGTH) {
    throw new BrokenStructureError('has a header with values that do not exist');
  }
  const decodedBytes = width * height * samples * (depth === 16 ? 2 : 1);
  checkHeader({ width, height, decodedBytes });
  // Each pass of an interlaced image covers the whole image.
  return { width, height, colour, decoderBytes: interlace === 1 ? decodedBytes : 0 };
}

/** The case of the first letter marks critical chunks (5.4). */
function isCritical(type: string): boolean {
  return type < 'a';
}

function chunk(type: string, data: Uint8Array): Buffer {
  const written = Buffer.alloc(FRAME_BYTES + data.length);
  written.writeUInt32BE(data.length);
  written.write(type, 4, 'latin1');
  written.set(data, 8);
  written.writeUInt32BE(crc32(written.subarray(4, 8 + data.length)), 8 + data.length);
  return written;
}
