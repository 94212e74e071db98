import { createReadStream } from 'node:fs';
import { InvalidInputError } from '../../errors.ts';
import type { StagedFile } from '../storage/staging.ts';
import type { ImageFormat } from './image-format.ts';
import { SNIFF_BYTES, sniffImage } from './image-format.ts';
import { AnimationError, BrokenStructureError, type PushParser } from './structure/input.ts';
import { createImageParser } from './structure/parse-image.ts';
import type { ImageHeader, ImageStructure } from './structure/structure.ts';

/** Facts about the image from the structure of its file. Sides are in pixels. */
export interface InspectedImage {
  readonly format: ImageFormat;
  /** As stored in the file. */
  readonly width: number;
  readonly height: number;
  /** As browsers show it: rotated by its EXIF orientation, except for WebP. */
  readonly displayWidth: number;
  readonly displayHeight: number;
  readonly hasAlpha: boolean;
  /** Memory of a decoder beyond a few rows; 0 if it can decode row by row. */
  readonly decoderBytes: number;
}

export interface InspectionLimits {
  /** Path into the client's input, for messages. */
  readonly field: string;
  /**
   * Maximum number of pixels, inclusive. Decoded, the image may have `BYTES_PER_PIXEL` for each.
   */
  readonly maxPixels: number;
}

/**
 * Inspects a file while it arrives. Both methods throw InvalidInputError naming the field and the
 * limit.
 */
export interface Inspection {
  /** Throws as soon as a problem is certain. The caller may reuse the chunk afterwards. */
  write(chunk: Uint8Array): void;
  /** Call at the end of the file. */
  end(): InspectedImage;
}

/** Four channels of 8 bits. Deeper images count as more pixels. */
const BYTES_PER_PIXEL = 4;

const READ_BYTES = 256 * 1024;

/**
 * Detects the format by the first bytes, checks the size in the header, and follows the structure
 * to the end of the image. Nothing is decoded, so broken image data passes. Bytes after the image
 * pass, too: they are never sent (`openForwardedImage`) and only served as part of an image.
 */
export function createInspection({ field, maxPixels }: InspectionLimits): Inspection {
  let head: Buffer = Buffer.alloc(0);
  let begun: { format: ImageFormat; parser: PushParser<ImageStructure> } | null = null;

  function begin() {
    const format = requireImageFormat(head, field);
    const check = (header: ImageHeader) => checkSize(header, { field, maxPixels });
    const parser = createImageParser(format, check);
    begun = { format, parser };
    parse(format, () => parser.write(head));
    return begun;
  }

  function parse<T>(format: ImageFormat, work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof AnimationError) throw animation(field, error);
      if (error instanceof BrokenStructureError) throw broken(field, format, error);
      throw error;
    }
  }

  return {
    write(chunk) {
      if (begun !== null) {
        const { format, parser } = begun;
        parse(format, () => parser.write(chunk));
        return;
      }
      head = Buffer.concat([head, chunk]);
      if (head.length >= SNIFF_BYTES) begin();
    },
    end() {
      const { format, parser } = begun ?? begin();
      const found = parse(format, () => parser.end());
      const { width, height, hasAlpha, decoderBytes } = found;
      const isTurned = found.orientation > 4;
      return {
        format,
        width,
        height,
        displayWidth: isTurned ? height : width,
        displayHeight: isTurned ? width : height,
        hasAlpha,
        decoderBytes,
      };
    },
  };
}

/** Inspects a received file. @throws InvalidInputError */
export async function inspectImage(
  { path }: Pick<StagedFile, 'path'>,
  limits: InspectionLimits,
): Promise<InspectedImage> {
  const inspection = createInspection(limits);
  for await (const chunk of createReadStream(path, { highWaterMark: READ_BYTES })) {
    inspection.write(chunk);
  }
  return inspection.end();
}

function requireImageFormat(head: Buffer, field: string): ImageFormat {
  const sniffed = sniffImage(head);
  if (sniffed.format !== null) return sniffed.format;
  if (head.length === 0) {
    throw new InvalidInputError(
      field,
      'TOO_SMALL',
      `${field} is empty (0 bytes); it must be a PNG, JPEG or WebP image.`,
    );
  }
  throw new InvalidInputError(
    field,
    'UNSUPPORTED_FORMAT',
    `${field} is ${sniffed.instead}; it must be a PNG, JPEG or WebP image.`,
  );
}

function checkSize(
  { width, height, decodedBytes }: ImageHeader,
  { field, maxPixels }: InspectionLimits,
): void {
  const pixels = width * height;
  if (pixels > maxPixels) {
    throw new InvalidInputError(
      field,
      'TOO_LARGE',
      `${field} is ${width}x${height} (${count(pixels)} pixels); it may have at most ${count(maxPixels)} pixels.`,
    );
  }
  const maxBytes = maxPixels * BYTES_PER_PIXEL;
  if (decodedBytes > maxBytes) {
    throw new InvalidInputError(
      field,
      'TOO_LARGE',
      `${field} is ${width}x${height} and decodes to ${count(decodedBytes)} bytes, but may decode to at most ${count(maxBytes)}. Reduce its size, or save it with 8 bits per channel.`,
    );
  }
}

function animation(field: string, cause: AnimationError): InvalidInputError {
  return new InvalidInputError(
    field,
    'UNSUPPORTED_FORMAT',
    `${field} is animated; it must have a single frame.`,
    { cause },
  );
}

function broken(field: string, format: ImageFormat, cause: BrokenStructureError) {
  return new InvalidInputError(
    field,
    'BROKEN_IMAGE',
    `${field} is not a valid ${NAMES[format]} image: the file ${cause.message}.`,
    { cause },
  );
}

const NAMES = { png: 'PNG', jpeg: 'JPEG', webp: 'WebP' } as const;

function count(value: number): string {
  return value.toLocaleString('en-US');
}
