import { type DisplayExif, readDisplayExif, writeDisplayExif } from './exif.ts';
import { BrokenStructureError, type Find, type Input } from './input.ts';
import { type CheckHeader, type ImageStructure, PartList } from './structure.ts';

/** Markers of T.81, table B.1. */
const Marker = {
  TEM: 0x01,
  DHT: 0xc4,
  DAC: 0xcc,
  RST0: 0xd0,
  RST7: 0xd7,
  SOI: 0xd8,
  EOI: 0xd9,
  SOS: 0xda,
  DQT: 0xdb,
  DNL: 0xdc,
  DRI: 0xdd,
  APP0: 0xe0,
  APP1: 0xe1,
  APP2: 0xe2,
  APP14: 0xee,
  APP15: 0xef,
  COM: 0xfe,
} as const;

interface Frame {
  readonly width: number;
  readonly height: number;
  readonly components: number;
  readonly isProgressive: boolean;
  /** All coefficients. A decoder holds them if they come in several scans. */
  readonly coefficientBytes: number;
}

/**
 * The frames that decoders read: baseline, extended and progressive, each with Huffman or
 * arithmetic coding.
 */
const FRAMES = [0xc0, 0xc1, 0xc2, 0xc9, 0xca];
const PROGRESSIVE = [0xc2, 0xca];
const TABLES: readonly number[] = [Marker.DHT, Marker.DAC, Marker.DQT, Marker.DNL, Marker.DRI];

/** A decoder goes over all coefficients once per scan. Encoders write about ten scans. */
const MAX_SCANS = 100;

/**
 * The application segments of which parts are forwarded: how their data begins, and how many bytes
 * are read; all if absent.
 */
const APPLICATION: Readonly<Record<number, { name: string; headBytes?: number }>> = {
  [Marker.APP0]: { name: 'JFIF\0', headBytes: 14 },
  [Marker.APP1]: { name: 'Exif\0' },
  [Marker.APP2]: { name: 'ICC_PROFILE\0', headBytes: 12 },
  [Marker.APP14]: { name: 'Adobe', headBytes: 12 },
};

/**
 * Reads a JPEG file (T.81, annex B) to the end of its first image. Phones append gain maps, videos
 * and further images. Of the application segments, these are forwarded: JFIF without its thumbnail,
 * the colour profile (ICC.1, B.4), Adobe's colour transform, and EXIF reduced to orientation and
 * density. Bytes between segments are dropped, as in decoders.
 */
export function* parseJpeg(
  input: Input,
  checkHeader: CheckHeader,
): Generator<undefined, ImageStructure, undefined> {
  const parts = new PartList();
  let frame: Frame | null = null;
  let decoderBytes = 0;
  let orientation: number | null = null;
  let hasExif = false;
  let scans = 0;
  let inScan = false;

  const start = yield* input.take(2);
  if (start.readUInt16BE() !== 0xff00 + Marker.SOI) throw new BrokenStructureError('has no start');
  parts.keep(0, 2);
  for (;;) {
    input.beginPiece();
    const codedFrom = input.offset;
    yield* input.skipTo(markerFinder());
    const code = (yield* input.take(1))[0] ?? 0;
    const at = input.offset - 2;
    if (inScan) parts.keep(codedFrom, at);
    inScan = false;

    if (code === Marker.EOI) {
      if (frame === null || scans === 0) throw new BrokenStructureError('has no image data');
      parts.keep(at, input.offset);
      const { width, height } = frame;
      const { all } = parts;
      return {
        width,
        height,
        orientation: orientation ?? 1,
        hasAlpha: false,
        decoderBytes,
        parts: all,
      };
    }
    if (code === Marker.TEM) continue;
    if (!hasLength(code)) throw unknownMarker(code);
    const length = (yield* input.take(2)).readUInt16BE();
    if (length < 2) throw new BrokenStructureError('has a segment without a length');
    const bytes = length - 2;
    const end = at + 2 + length;

    if (FRAMES.includes(code)) {
      if (frame !== null) throw new BrokenStructureError('has two frame headers');
      frame = parseFrame(code, yield* input.take(bytes), checkHeader);
      parts.keep(at, end);
    } else if (code === Marker.SOS) {
      if (frame === null) throw new BrokenStructureError('has image data before its header');
      scans += 1;
      if (scans > MAX_SCANS) throw new BrokenStructureError(`has more than ${MAX_SCANS} scans`);
      const [inFirst = 0] = yield* input.take(Math.min(bytes, 1));
      yield* input.skip(Math.max(0, bytes - 1));
      // Otherwise a single scan has all components and can be decoded row by row.
      if (frame.isProgressive || inFirst < frame.components) decoderBytes = frame.coefficientBytes;
      parts.keep(at, end);
      inScan = true;
    } else if (TABLES.includes(code)) {
      yield* input.skip(bytes);
      parts.keep(at, end);
    } else if (code in APPLICATION && scans === 0 && !(hasExif && code === Marker.APP1)) {
      const { kept, exif } = yield* parseApplication(input, code, bytes);
      hasExif ||= exif !== null;
      orientation ??= exif?.orientation ?? null;
      if (kept === 'whole') parts.keep(at, end);
      else if (kept !== null) parts.insert(segment(code, kept));
    } else if ((code >= Marker.APP0 && code <= Marker.APP15) || code === Marker.COM) {
      yield* input.skip(bytes);
    } else {
      throw unknownMarker(code);
    }
  }
}

interface Application {
  /** The whole segment, replacement data, or nothing. */
  readonly kept: 'whole' | Buffer | null;
  readonly exif: DisplayExif | null;
}

/** A segment of `APPLICATION` with `bytes` bytes of data. */
function* parseApplication(
  input: Input,
  code: number,
  bytes: number,
): Generator<undefined, Application, undefined> {
  const { name = '', headBytes = bytes } = APPLICATION[code] ?? {};
  const head = yield* input.take(Math.min(bytes, headBytes));
  yield* input.skip(bytes - head.length);
  if (!startsWith(head, name)) return { kept: null, exif: null };
  switch (code) {
    case Marker.APP0: {
      if (head.length < headBytes) return { kept: null, exif: null };
      const hasThumbnail = bytes > headBytes || head.readUInt16BE(12) !== 0;
      const withoutThumbnail = Buffer.concat([head.subarray(0, 12), Buffer.alloc(2)]);
      return { kept: hasThumbnail ? withoutThumbnail : 'whole', exif: null };
    }
    case Marker.APP1: {
      const exif = readDisplayExif(head.subarray(6));
      const reduced = writeDisplayExif(exif);
      const data = reduced && Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), reduced]);
      return { kept: data?.equals(head) ? 'whole' : data, exif };
    }
    case Marker.APP14:
      if (head.length < headBytes) return { kept: null, exif: null };
      return { kept: bytes > headBytes ? head : 'whole', exif: null };
    default:
      return { kept: 'whole', exif: null };
  }
}

/** T.81, B.2.2. A height of 0 means that a later segment has it, which decoders do not read. */
function parseFrame(code: number, frame: Buffer, checkHeader: CheckHeader): Frame {
  const components = frame[5] ?? 0;
  if (components < 1 || components > 4 || frame.length !== 6 + components * 3) {
    throw new BrokenStructureError('has a header of the wrong length');
  }
  if (frame[0] !== 8) throw new BrokenStructureError(`has ${frame[0]} bits per sample, not 8`);
  const height = frame.readUInt16BE(1);
  const width = frame.readUInt16BE(3);
  if (width === 0 || height === 0) throw new BrokenStructureError('has no size in its header');
  checkHeader({ width, height, decodedBytes: width * height * components });
  const blocks = Array.from({ length: components }, (_, index) => {
    const sampling = frame[7 + index * 3] ?? 0;
    return (sampling >> 4) * (sampling & 15);
  });
  const samples = blocks.reduce((sum, block) => sum + block, 0) / Math.max(1, ...blocks);
  return {
    width,
    height,
    components,
    isProgressive: PROGRESSIVE.includes(code),
    coefficientBytes: Math.ceil(width * height * samples * 2),
  };
}

/**
 * Finds the code of the next marker: a byte after 0xFF that is neither a stuffed zero nor another
 * 0xFF nor a restart (T.81, B.1.1.2 and B.1.1.5).
 */
function markerFinder(): Find {
  let isAfterFf = false;
  return (chunk, from) => {
    for (let at = from; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0;
      if (byte === 0xff) {
        isAfterFf = true;
      } else if (isAfterFf) {
        if (byte !== 0 && !(byte >= Marker.RST0 && byte <= Marker.RST7)) return at;
        isAfterFf = false;
      }
    }
    return -1;
  };
}

/** Codes below 0xC0 are reserved, and a second start marker is an error. */
function hasLength(code: number): boolean {
  return code >= 0xc0 && code !== Marker.SOI;
}

function unknownMarker(code: number): BrokenStructureError {
  return new BrokenStructureError(
    `has a segment that decoders do not read (0xFF${code.toString(16).toUpperCase().padStart(2, '0')})`,
  );
}

function segment(code: number, data: Uint8Array): Buffer {
  const head = Buffer.from([0xff, code, 0, 0]);
  head.writeUInt16BE(data.length + 2, 2);
  return Buffer.concat([head, data]);
}

function startsWith(data: Buffer, text: string): boolean {
  return data.toString('latin1', 0, text.length) === text;
}
