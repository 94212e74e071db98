import { createHash } from 'node:crypto';
import type { BlobStore } from '../storage/blob-store.ts';
import type { ImageFormat } from './image-format.ts';
import { createImageParser } from './structure/parse-image.ts';
import { bytesIn, type ImagePart, type ImageStructure } from './structure/structure.ts';

/** A stored image as it is sent to an upstream. */
export interface ForwardedImage {
  readonly bytes: number;
  /** SHA-256 of these bytes, lower-case hex. */
  readonly sha256: string;
  /** May be called repeatedly. A chunk is valid until the next one is requested. */
  open(): AsyncIterable<Uint8Array>;
}

export interface StoredFile {
  /** Key in the blob store. */
  readonly key: string;
  readonly format: ImageFormat;
  readonly bytes: number;
  /** SHA-256 of the stored bytes, lower-case hex. */
  readonly sha256: string;
}

/**
 * A smaller gap between two spans is read and dropped, because another read from S3 takes longer.
 */
const MAX_GAP_BYTES = 1024 * 1024;

/**
 * Opens the part of a stored image that is sent to an upstream: the first image of the file with
 * its colour profile, density and orientation, byte for byte, without metadata about where, when or
 * by what it was made. With `withMetadata`, the whole file.
 *
 * Reads the file once to find these parts, and again to hash them unless they are the whole file.
 *
 * @throws BrokenStructureError for a file that `createInspection` rejects; StorageError; ENOENT;
 *   the signal's reason.
 */
export async function openForwardedImage(
  file: StoredFile,
  options: { blobs: BlobStore; withMetadata: boolean; signal: AbortSignal },
): Promise<ForwardedImage> {
  const { key, bytes, sha256 } = file;
  const { blobs, signal } = options;
  if (options.withMetadata) return { bytes, sha256, open: () => blobs.pieces(key) };
  const { parts } = await parse(file, blobs, signal);
  const open = () => readParts(blobs, key, parts);
  if (isWhole(parts, bytes)) return { bytes, sha256, open };
  return { bytes: bytesIn(parts), sha256: await hash(open(), signal), open };
}

async function parse(
  { key, format }: StoredFile,
  blobs: BlobStore,
  signal: AbortSignal,
): Promise<ImageStructure> {
  const parser = createImageParser(format);
  for await (const piece of blobs.pieces(key)) {
    signal.throwIfAborted();
    parser.write(piece);
    if (parser.isDone) break;
  }
  return parser.end();
}

function isWhole([first, ...others]: readonly ImagePart[], bytes: number): boolean {
  return (
    others.length === 0 &&
    first !== undefined &&
    !(first instanceof Uint8Array) &&
    first.start === 0 &&
    first.end === bytes
  );
}

async function hash(chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<string> {
  const digest = createHash('sha256');
  for await (const chunk of chunks) {
    signal.throwIfAborted();
    digest.update(chunk);
  }
  return digest.digest('hex');
}

async function* readParts(
  blobs: BlobStore,
  key: string,
  parts: readonly ImagePart[],
): AsyncGenerator<Uint8Array, void> {
  for (const run of runsOf(parts)) yield* readRun(blobs, key, run);
}

/** Parts that are read at once: nearby spans and the bytes between them. */
interface Run {
  readonly start: number;
  end: number;
  readonly parts: ImagePart[];
}

function runsOf(parts: readonly ImagePart[]): Run[] {
  const runs: Run[] = [];
  let before: ImagePart[] = [];
  for (const part of parts) {
    const last = runs.at(-1);
    if (part instanceof Uint8Array) {
      before.push(part);
    } else if (last !== undefined && part.start - last.end <= MAX_GAP_BYTES) {
      last.parts.push(...before, part);
      last.end = part.end;
      before = [];
    } else {
      runs.push({ start: part.start, end: part.end, parts: [...before, part] });
      before = [];
    }
  }
  // Every image ends with bytes from the file, except for the padding of a WebP chunk.
  runs.at(-1)?.parts.push(...before);
  return runs;
}

async function* readRun(
  blobs: BlobStore,
  key: string,
  { start, end, parts }: Run,
): AsyncGenerator<Uint8Array, void> {
  const left = [...parts];
  let at = start;
  for await (const piece of blobs.pieces(key, { start, end: end - 1 })) {
    const pieceEnd = at + piece.length;
    for (let part = left[0]; part !== undefined; part = left[0]) {
      if (part instanceof Uint8Array) {
        yield part;
      } else {
        const from = Math.max(part.start, at);
        const to = Math.min(part.end, pieceEnd);
        if (from < to) yield piece.subarray(from - at, to - at);
        if (part.end > pieceEnd) break;
      }
      left.shift();
    }
    at = pieceEnd;
  }
}
