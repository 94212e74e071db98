import type { Metadata } from 'sharp';
import sharp from 'sharp';
import { InvalidInputError } from '../errors.ts';
import type { ImageFormat } from './image-format.ts';
import { checkEnd, sniffImage } from './image-format.ts';
import type { StagedFile } from './staging.ts';

/** What the header of a picture says. Sides are in pixels. */
export interface InspectedImage {
  readonly format: ImageFormat;
  /** As stored in the file. */
  readonly width: number;
  readonly height: number;
  /** As a viewer shows it: turned by its EXIF orientation. */
  readonly displayWidth: number;
  readonly displayHeight: number;
  readonly hasAlpha: boolean;
}

/** The side to which a picture of doubtful end is shrunk while it is decoded. */
const TRIAL_SIDE = 64;

/**
 * Reads the header of a received picture, and decides whether all of it came. Nothing is decoded,
 * but for pictures with bytes behind their end, and those only within `maxPixels`.
 *
 * An animated PNG is a still picture to every reader that does not know the extension (PNG, third
 * edition, 4.9): it is taken as such.
 *
 * @throws InvalidInputError naming `field`, the limit and what came.
 */
export async function inspectImage(
  file: StagedFile,
  { field, maxPixels }: { field: string; maxPixels: number },
): Promise<InspectedImage> {
  const format = requireImageFormat(file.head, field);
  const end = checkEnd(format, file);
  if (end === 'cut') throw broken(field, format);

  const header = await readHeader(file.path, field, format);
  const { width, height } = header;
  if (width * height > maxPixels) {
    throw new InvalidInputError(
      field,
      'TOO_LARGE',
      `${field} is ${width}x${height} (${count(width * height)} pixels); at most ${count(maxPixels)} pixels are accepted.`,
    );
  }
  const frames = header.pages ?? 1;
  if (frames > 1) {
    throw new InvalidInputError(
      field,
      'UNSUPPORTED_FORMAT',
      `${field} is an animation of ${count(frames)} frames; at most 1 frame, a still picture, is accepted.`,
    );
  }
  if (end === 'unsure') await decodeOnTrial(file.path, { field, format, maxPixels });

  return {
    format,
    width,
    height,
    displayWidth: header.autoOrient.width,
    displayHeight: header.autoOrient.height,
    hasAlpha: header.hasAlpha,
  };
}

/** @throws InvalidInputError when `head`, the first bytes of a file, is not a picture's. */
export function requireImageFormat(head: Buffer, field: string): ImageFormat {
  const sniffed = sniffImage(head);
  if (sniffed.format !== null) return sniffed.format;
  if (head.length === 0) {
    throw new InvalidInputError(
      field,
      'TOO_SMALL',
      `${field} is empty (0 bytes); a PNG, JPEG or WebP picture is expected.`,
    );
  }
  throw new InvalidInputError(
    field,
    'UNSUPPORTED_FORMAT',
    `${field} is ${sniffed.instead}; PNG, JPEG and WebP pictures are accepted.`,
  );
}

async function readHeader(path: string, field: string, format: ImageFormat): Promise<Metadata> {
  try {
    // No limit here: the header costs the same for any size, and the caller names the limit better.
    const header = await sharp(path, { limitInputPixels: false }).metadata();
    if (header.format === format) return header;
  } catch (error) {
    throw broken(field, format, error);
  }
  throw broken(field, format);
}

/** Decodes row by row into a small picture; stops at the first sign that the file was cut. */
async function decodeOnTrial(
  path: string,
  { field, format, maxPixels }: { field: string; format: ImageFormat; maxPixels: number },
): Promise<void> {
  try {
    await sharp(path, { failOn: 'truncated', limitInputPixels: maxPixels })
      .resize(TRIAL_SIDE, TRIAL_SIDE, { fit: 'inside' })
      .raw()
      .toBuffer();
  } catch (error) {
    throw broken(field, format, error);
  }
}

function broken(field: string, format: ImageFormat, cause?: unknown): InvalidInputError {
  return new InvalidInputError(
    field,
    'BROKEN_IMAGE',
    `${field} is a broken ${format.toUpperCase()} picture: it cannot be read to its end.`,
    { cause },
  );
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
