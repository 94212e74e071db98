import { BrokenStructureError } from './input.ts';

/** What the header of a file says of the image. Sides are in pixels, as stored. */
export interface ImageHeader {
  readonly width: number;
  readonly height: number;
  /** Of all pixels once they are decoded, at the depth that they are stored with. */
  readonly decodedBytes: number;
}

/** @throws to end the parsing: the image is beyond a limit. */
export type CheckHeader = (header: ImageHeader) => void;

/** Bytes of the file, `end` exclusive. */
export interface ByteSpan {
  readonly start: number;
  readonly end: number;
}

/** One after the other they are a file: spans of the parsed one, and bytes that are not in it. */
export type ImagePart = ByteSpan | Uint8Array;

/** What was found in a file whose structure was read to the end of its first image. */
export interface ImageStructure {
  readonly width: number;
  readonly height: number;
  /** As in EXIF: 1 is upright; from 5 on, width and height change places. */
  readonly orientation: number;
  readonly hasAlpha: boolean;
  /** What a decoder holds at once, beyond some rows: 0 for what can be decoded row by row. */
  readonly decoderBytes: number;
  /**
   * The first image alone: image data, colour profile, density and orientation. An unchanged file is
   * one span.
   */
  readonly parts: readonly ImagePart[];
}

/** Each is a few dozen bytes of memory. Real files have fewer than 100 of them. */
const MAX_PARTS = 4_096;

/** Collects parts; spans that touch become one. */
export class PartList {
  readonly #parts: ImagePart[] = [];

  keep(start: number, end: number): void {
    if (start === end) return;
    const last = this.#parts.at(-1);
    if (last !== undefined && !(last instanceof Uint8Array) && last.end === start) {
      this.#parts[this.#parts.length - 1] = { start: last.start, end };
    } else {
      this.#add({ start, end });
    }
  }

  insert(bytes: Uint8Array): void {
    this.#add(bytes);
  }

  get all(): readonly ImagePart[] {
    return this.#parts;
  }

  #add(part: ImagePart): void {
    if (this.#parts.length === MAX_PARTS) {
      throw new BrokenStructureError(
        `has more than ${MAX_PARTS.toLocaleString('en-US')} separate pieces of image data`,
      );
    }
    this.#parts.push(part);
  }
}

export function bytesIn(parts: readonly ImagePart[]): number {
  return parts.reduce((sum, part) => sum + bytesOf(part), 0);
}

function bytesOf(part: ImagePart): number {
  return part instanceof Uint8Array ? part.length : part.end - part.start;
}
