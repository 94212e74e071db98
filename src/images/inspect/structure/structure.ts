import { BrokenStructureError } from './input.ts';

/** Facts from the header of a file. Sides are in pixels, as stored. */
export interface ImageHeader {
  readonly width: number;
  readonly height: number;
  /** Size of all decoded pixels at their stored depth. */
  readonly decodedBytes: number;
}

/** @throws to stop parsing if the image exceeds a limit. */
export type CheckHeader = (header: ImageHeader) => void;

/** A byte range of the file; `end` is exclusive. */
export interface ByteSpan {
  readonly start: number;
  readonly end: number;
}

/** Concatenated, the parts are a file: spans of the parsed file, and bytes that are not in it. */
export type ImagePart = ByteSpan | Uint8Array;

/** The structure of a file up to the end of its first image. */
export interface ImageStructure {
  readonly width: number;
  readonly height: number;
  /** As in EXIF: 1 is upright; from 5 on, width and height are swapped. */
  readonly orientation: number;
  readonly hasAlpha: boolean;
  /** Memory of a decoder beyond a few rows; 0 if it can decode row by row. */
  readonly decoderBytes: number;
  /**
   * Only the first image: image data, colour profile, density and orientation. A file that needs no
   * change is one span.
   */
  readonly parts: readonly ImagePart[];
}

/** Each takes a few dozen bytes of memory. Real files have fewer than 100. */
const MAX_PARTS = 4_096;

/** Collects parts and merges adjacent spans. */
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
