import sharp from 'sharp';
import type { PixelSize } from '../models/sizes.ts';
import type { Form, FormFile } from './form.ts';
import { MAX_FILE_BYTES } from './form.ts';
import { ApiRefusal, invalidImage, invalidType, missingParameter } from './refusal.ts';

const MAX_IMAGES = 16;
const MAX_MASK_BYTES = 4 * 1024 * 1024;
const FORMATS = ['image/jpeg', 'image/png', 'image/webp'];

/** Larger images are rejected before a pixel is decoded. */
export const MAX_INPUT_PIXELS = 100_000_000;

export interface InputFiles {
  /** 1-16, in the order of the form. */
  readonly images: readonly FormFile[];
  readonly mask: FormFile | null;
}

/**
 * Finds the images among the form's parts, by their declared names and types. Several images are
 * repeated `image[]` (official) or `image` (compatible servers).
 * @throws ApiRefusal if there is none or too many, or if one is too large or of another type.
 */
export function pickFiles(form: Form): InputFiles {
  const images = form.files.filter((file) => file.field === 'image' || file.field === 'image[]');
  const masks = form.files.filter((file) => file.field === 'mask');
  for (const [name] of form.fields) {
    const param = name === 'image[]' ? 'image' : name;
    if (param === 'image' || param === 'mask') throw invalidType(param, 'a file, but got a string');
  }
  if (images.length === 0) throw missingParameter('image');
  if (images.length > MAX_IMAGES) {
    throw new ApiRefusal(
      `Invalid 'image': array too long. Expected an array with maximum length ${MAX_IMAGES}, ` +
        `but got an array with length ${images.length} instead.`,
      { param: 'image', code: 'array_above_max_length' },
    );
  }
  if (masks.length > 1) {
    throw new ApiRefusal("Duplicate parameter: 'mask'.", {
      param: 'mask',
      code: 'duplicate_parameter',
    });
  }
  for (const file of images) checkFile('image', file, FORMATS, MAX_FILE_BYTES);
  const mask = masks[0] ?? null;
  if (mask !== null) checkFile('mask', mask, ['image/png'], MAX_MASK_BYTES);
  return { images, mask };
}

function checkFile(
  param: 'image' | 'mask',
  file: FormFile,
  formats: readonly string[],
  maxBytes: number,
): void {
  if (file.tooLarge || file.bytes > maxBytes) {
    throw new ApiRefusal(
      `Invalid '${param}': file too large. Each must be at most ${maxBytes / 1024 / 1024} MB.`,
      { param, code: 'file_above_max_size' },
    );
  }
  if (!formats.includes(file.contentType)) {
    const list = new Intl.ListFormat('en').format(formats.map((one) => `'${one}'`));
    throw new ApiRefusal(
      `Invalid file '${param}': unsupported mimetype ('${file.contentType}'). ` +
        `Supported file formats are ${list}.`,
      { param, code: 'unsupported_file_mimetype' },
    );
  }
}

/**
 * Reads the headers of the images, no pixels, and returns their sizes after EXIF orientation.
 * @throws ApiRefusal if a file is not a supported image, or if the mask does not fit.
 */
export async function inspectImages(files: InputFiles): Promise<PixelSize[]> {
  const sizes = await Promise.all(
    files.images.map(async (file, index) => {
      const header = await readHeader(file.data);
      if (header === null || !['jpeg', 'png', 'webp'].includes(header.format)) {
        throw invalidImage('image', index + 1);
      }
      return header.size;
    }),
  );
  const first = sizes[0];
  if (files.mask !== null && first !== undefined) {
    const header = await readHeader(files.mask.data);
    if (header === null || header.format !== 'png') throw invalidImage('mask', 1);
    if (!header.hasAlpha) {
      throw badMask('mask must have an alpha channel whose transparent pixels say where to edit.');
    }
    if (header.size.width !== first.width || header.size.height !== first.height) {
      throw badMask('mask size does not match image size.');
    }
  }
  return sizes;
}

async function readHeader(
  data: Buffer,
): Promise<{ format: string; size: PixelSize; hasAlpha: boolean } | null> {
  try {
    const { format, autoOrient, hasAlpha } = await sharp(data, {
      limitInputPixels: MAX_INPUT_PIXELS,
    }).metadata();
    const size = { width: autoOrient.width, height: autoOrient.height };
    if (size.width * size.height > MAX_INPUT_PIXELS) return null;
    return { format, size, hasAlpha };
  } catch {
    return null;
  }
}

function badMask(reason: string): ApiRefusal {
  return new ApiRefusal(`Invalid mask image format - ${reason}`, {
    param: 'mask',
    code: 'invalid_mask_image_format',
  });
}
