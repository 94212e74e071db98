import { AnimationError, BrokenStructureError, type Input } from './input.ts';
import {
  bytesIn,
  type CheckHeader,
  type ImagePart,
  type ImageStructure,
  PartList,
} from './structure.ts';

/** Flags of the VP8X chunk (RFC 9649, 2.7). */
const Flag = { ANIMATION: 0x02, ALPHA: 0x10, ICC: 0x20 } as const;
const KEPT_FLAGS = Flag.ANIMATION | Flag.ALPHA | Flag.ICC;

const RIFF_BYTES = 12;
const CHUNK_HEAD_BYTES = 8;
const VP8X_BYTES = 10;
const FRAME_HEAD_BYTES = 16;
const FRAME_CHUNKS = ['ALPH', 'VP8 ', 'VP8L'];

/** The size of a canvas or of image data. */
interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly hasAlpha: boolean;
}

/**
 * Reads a WebP file (RFC 9649) chunk by chunk to the end of its RIFF. Forwarded are the image and
 * its colour profile, with a matching RIFF header and flags. EXIF is dropped, including its
 * orientation, because browsers do not rotate WebP images. A second frame is rejected.
 *
 * @throws AnimationError
 */
export function* parseWebp(
  input: Input,
  checkHeader: CheckHeader,
): Generator<undefined, ImageStructure, undefined> {
  const riff = yield* input.take(RIFF_BYTES);
  const riffEnd = 8 + riff.readUInt32LE(4);
  if (riff.toString('latin1', 0, 4) !== 'RIFF' || riff.toString('latin1', 8) !== 'WEBP') {
    throw new BrokenStructureError('has no start');
  }
  const parts = new PartList();
  let canvas: (Pixels & { readonly flags: number }) | null = null;
  let image: (Pixels & { readonly isLossless: boolean }) | null = null;
  let hasProfile = false;
  let hasAlphaChunk = false;
  let frames = 0;
  /** Whether parts of the file are omitted or rewritten. */
  let isChanged = false;

  while (riffEnd - input.offset >= CHUNK_HEAD_BYTES) {
    input.beginPiece();
    const start = input.offset;
    const head = yield* input.take(CHUNK_HEAD_BYTES);
    const type = head.toString('latin1', 0, 4);
    const length = head.readUInt32LE(4);
    const dataEnd = start + CHUNK_HEAD_BYTES + length;
    if (dataEnd > riffEnd) throw new BrokenStructureError('has a chunk beyond its end');
    const isFirst = start === RIFF_BYTES;
    const isImage = type === 'VP8 ' || type === 'VP8L';
    const isAnimated = canvas !== null && (canvas.flags & Flag.ANIMATION) !== 0;
    let isKept = false;

    if (isFirst && type === 'VP8X') {
      if (length !== VP8X_BYTES) throw new BrokenStructureError('has a header of the wrong length');
      const data = yield* input.take(VP8X_BYTES);
      canvas = readCanvas(data);
      checkHeader(headerOf(canvas));
      isChanged ||= data.readUInt32LE() !== (canvas.flags & KEPT_FLAGS);
    } else if (isFirst && !isImage) {
      throw new BrokenStructureError('does not begin with an image');
    } else if (isImage && image === null && !isAnimated) {
      image = yield* readBitstream(input, type, length);
      if (canvas === null) checkHeader(headerOf(image));
      else if (canvas.width !== image.width || canvas.height !== image.height) {
        throw new BrokenStructureError('has an image of another size than its header says');
      }
      isKept = true;
    } else if (type === 'ANMF' && isAnimated) {
      frames += 1;
      if (frames > 1) throw new AnimationError();
      yield* checkFrame(input, dataEnd);
      isKept = true;
    } else if (type === 'ANIM' && isAnimated && frames === 0 && length === 6) {
      isKept = true;
    } else if (type === 'ICCP' && canvas !== null && image === null && !hasProfile) {
      isKept = (canvas.flags & Flag.ICC) !== 0 && frames === 0;
      hasProfile ||= isKept;
    } else if (type === 'ALPH' && canvas !== null && image === null && !hasAlphaChunk) {
      isKept = !isAnimated;
      hasAlphaChunk ||= isKept;
    }
    yield* input.skip(dataEnd - input.offset);

    // Some writers omit the last padding byte, or do not count it.
    const isPadded = length % 2 === 0 || dataEnd < riffEnd;
    if (length % 2 === 1 && isPadded) yield* input.skip(1);
    if (isKept) parts.keep(start, input.offset);
    if (isKept && !isPadded) parts.insert(Buffer.alloc(1));
    isChanged ||= !isPadded || (!isKept && !(isFirst && type === 'VP8X'));
  }

  const isWhole = image !== null || frames === 1;
  const found = canvas ?? image;
  if (found === null || !isWhole) throw new BrokenStructureError('has no image data');
  const missing = riffEnd - input.offset;
  yield* input.skip(missing);
  isChanged ||= missing > 0 || (canvas !== null && !hasProfile && (canvas.flags & Flag.ICC) !== 0);
  const { width, height } = found;
  const bytesPerPixel = image === null ? 8 : image.isLossless ? 4 : hasAlphaChunk ? 1 : 0;
  return {
    width,
    height,
    orientation: 1,
    hasAlpha: found.hasAlpha || hasAlphaChunk,
    decoderBytes: width * height * bytesPerPixel,
    parts: isChanged
      ? rewritten(parts.all, canvas && { ...canvas, hasProfile })
      : [{ start: 0, end: riffEnd }],
  };
}

/** Decoders use four bytes per pixel. */
function headerOf({ width, height }: Pixels) {
  return { width, height, decodedBytes: width * height * 4 };
}

function readCanvas(data: Buffer): Pixels & { flags: number } {
  const flags = data[0] ?? 0;
  return {
    flags,
    width: data.readUIntLE(4, 3) + 1,
    height: data.readUIntLE(7, 3) + 1,
    hasAlpha: (flags & Flag.ALPHA) !== 0,
  };
}

/** The header of VP8 (RFC 6386, 9.1) or of lossless WebP (RFC 9649, 3.4). */
function* readBitstream(
  input: Input,
  type: string,
  length: number,
): Generator<undefined, Pixels & { isLossless: boolean }, undefined> {
  const isLossless = type === 'VP8L';
  if (length < 10 && !(isLossless && length >= 5)) throw noImage();
  const data = yield* input.take(isLossless ? 5 : 10);
  if (isLossless) {
    const bits = data.readUInt32LE(1);
    // The signature, and version 0.
    if (data[0] !== 0x2f || bits >>> 29 !== 0) throw noImage();
    const width = (bits & 0x3fff) + 1;
    const height = ((bits >>> 14) & 0x3fff) + 1;
    return { width, height, hasAlpha: ((bits >>> 28) & 1) === 1, isLossless };
  }
  const isKeyFrame = ((data[0] ?? 1) & 1) === 0 && data.readUIntBE(3, 3) === 0x9d012a;
  const width = data.readUInt16LE(6) & 0x3fff;
  const height = data.readUInt16LE(8) & 0x3fff;
  if (!isKeyFrame || width === 0 || height === 0) throw noImage();
  return { width, height, hasAlpha: false, isLossless };
}

function noImage(): BrokenStructureError {
  return new BrokenStructureError('has image data that decoders do not read');
}

/** A frame is forwarded whole, so it must contain only an image. */
function* checkFrame(input: Input, end: number): Generator<undefined, void, undefined> {
  yield* input.skip(Math.min(FRAME_HEAD_BYTES, end - input.offset));
  while (end - input.offset >= CHUNK_HEAD_BYTES) {
    input.beginPiece();
    const head = yield* input.take(CHUNK_HEAD_BYTES);
    const length = head.readUInt32LE(4);
    const isImage = FRAME_CHUNKS.includes(head.toString('latin1', 0, 4));
    if (!isImage || input.offset + length > end) {
      throw new BrokenStructureError('has a frame that contains no image');
    }
    yield* input.skip(Math.min(length + (length % 2), end - input.offset));
  }
}

/** The forwarded chunks with new headers. */
function rewritten(
  kept: readonly ImagePart[],
  canvas: { flags: number; width: number; height: number; hasProfile: boolean } | null,
): ImagePart[] {
  const header = Buffer.alloc(RIFF_BYTES + (canvas ? CHUNK_HEAD_BYTES + VP8X_BYTES : 0));
  header.write('RIFF', 'latin1');
  header.writeUInt32LE(header.length - 8 + bytesIn(kept), 4);
  header.write('WEBP', 8, 'latin1');
  if (canvas) {
    const flags = canvas.flags & (canvas.hasProfile ? KEPT_FLAGS : KEPT_FLAGS & ~Flag.ICC);
    header.write('VP8X', 12, 'latin1');
    header.writeUInt32LE(VP8X_BYTES, 16);
    header.writeUInt32LE(flags, 20);
    header.writeUIntLE(canvas.width - 1, 24, 3);
    header.writeUIntLE(canvas.height - 1, 27, 3);
  }
  return [header, ...kept];
}
