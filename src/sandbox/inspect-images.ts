import { sharp } from '../images/sharp.ts';
import type { PixelSize } from '../models/sizes.ts';
import type { InputFiles } from './input-images.ts';
import { ApiRefusal, invalidImage } from './refusal.ts';

/** Larger images are rejected before a pixel is decoded. */
export const MAX_INPUT_PIXELS = 100_000_000;

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
