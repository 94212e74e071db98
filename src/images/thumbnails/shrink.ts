import { rgbaToThumbHash } from 'thumbhash';
import { inspectImage } from '../inspect/inspect-image.ts';
import { sharp } from '../sharp.ts';

/**
 * Enough for 14 megapixels of lossless WebP, and for a progressive JPEG of 9.7 megapixels without
 * chroma subsampling or 19 with it.
 */
const MAX_DECODER_BYTES = 56 * 1024 * 1024;
/** Very tall images become narrower, because WebP sides are at most 16,383 pixels. */
const MAX_HEIGHT_PER_WIDTH = 4;
/** Maximum side of the ThumbHash encoder, in pixels. */
const THUMB_HASH_SIDE = 100;
const WEBP_QUALITY = 78;

/**
 * Null if libvips cannot read the image. Such images exist and are not an error of this service.
 */
export async function shrink(
  path: string,
  width: number,
  maxPixels: number,
): Promise<Buffer | null> {
  try {
    const { format, decoderBytes } = await inspectImage({ path }, { field: 'image', maxPixels });
    if (decoderBytes > MAX_DECODER_BYTES) return null;
    const image = sharp(path, { limitInputPixels: maxPixels });
    // Browsers do not rotate WebP images.
    const upright = format === 'webp' ? image : image.autoOrient();
    return await upright
      .resize({
        width,
        height: width * MAX_HEIGHT_PER_WIDTH,
        fit: 'inside',
        withoutEnlargement: true,
      })
      .webp({ quality: WEBP_QUALITY })
      .toBuffer();
  } catch {
    return null;
  }
}

/** The ThumbHash of an encoded image. */
export async function hash(image: Buffer): Promise<Buffer> {
  const { data, info } = await sharp(image)
    .resize(THUMB_HASH_SIDE, THUMB_HASH_SIDE, { fit: 'inside' })
    .toColourspace('srgb')
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return Buffer.from(rgbaToThumbHash(info.width, info.height, data));
}
