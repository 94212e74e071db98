import { sharp } from '../images/sharp.ts';
import type { PixelSize } from '../models/sizes.ts';
import type { Region } from './caption.ts';
import { STANDARD_SIZES } from './edit-params.ts';
import type { InputFiles } from './input-images.ts';
import { MAX_INPUT_PIXELS } from './inspect-images.ts';
import { invalidImage } from './refusal.ts';

/** Raw RGBA, four bytes per pixel. */
export interface Pixels extends PixelSize {
  readonly data: Buffer;
}

/** The inputs, decoded once for all images of an edit. */
export interface Scene {
  /** The first input, fitted to the output size. */
  readonly base: Pixels;
  /** One byte per pixel: 1 where the edit may change the image; null for everywhere. */
  readonly editable: Uint8Array | null;
  /** The bounding box of the editable pixels; null if there are none. */
  readonly region: Region | null;
  /** The further inputs, small, with their positions. */
  readonly insets: readonly {
    readonly pixels: Pixels;
    readonly left: number;
    readonly top: number;
  }[];
}

/** The standard size with the nearest ratio. */
export function nearestSize(first: PixelSize): PixelSize {
  const distance = (size: PixelSize) =>
    Math.abs(Math.log(size.width / size.height) - Math.log(first.width / first.height));
  return STANDARD_SIZES.map((text) => {
    const [width = 0, height = 0] = text.split('x').map(Number);
    return { width, height };
  }).reduce((best, one) => (distance(one) < distance(best) ? one : best));
}

/** @throws ApiRefusal naming the input that cannot be decoded. */
export async function setScene(
  files: InputFiles,
  size: PixelSize,
  options: { keepAlpha: boolean },
): Promise<Scene> {
  const [first, ...others] = files.images;
  if (first === undefined) throw new RangeError('An edit has at least one input.');
  const base = await decode(first.data, size, options).catch(() => {
    throw invalidImage('image', 1);
  });
  const editable =
    files.mask === null
      ? null
      : await decodeMask(files.mask.data, size).catch(() => {
          throw invalidImage('mask', 1);
        });
  const region = editable === null ? { left: 0, top: 0, ...size } : boundingBox(editable, size);
  const insets = [];
  for (const [index, place] of (region === null ? [] : places(region, others.length)).entries()) {
    const other = others[index];
    if (other === undefined) break;
    const side = { width: place.side, height: place.side };
    const pixels = await decode(other.data, side, { keepAlpha: false }).catch(() => {
      throw invalidImage('image', index + 2);
    });
    insets.push({ pixels, left: place.left, top: place.top });
  }
  return { base, editable, region, insets };
}

async function decode(
  data: Buffer,
  size: PixelSize,
  { keepAlpha }: { keepAlpha: boolean },
): Promise<Pixels> {
  const image = sharp(data, { limitInputPixels: MAX_INPUT_PIXELS })
    .autoOrient()
    .resize(size.width, size.height, { fit: 'cover' })
    .toColourspace('srgb');
  if (!keepAlpha) image.flatten({ background: '#ffffff' });
  const raw = await image.ensureAlpha().raw({ depth: 'uchar' }).toBuffer();
  return { ...size, data: raw };
}

/**
 * Only fully transparent pixels are editable. Cropped like the first input, without blurring the
 * edge.
 */
async function decodeMask(data: Buffer, size: PixelSize): Promise<Uint8Array> {
  const alpha = await sharp(data, { limitInputPixels: MAX_INPUT_PIXELS })
    .autoOrient()
    .resize(size.width, size.height, { fit: 'cover', kernel: 'nearest' })
    .ensureAlpha()
    .extractChannel('alpha')
    .raw({ depth: 'uchar' })
    .toBuffer();
  return Uint8Array.from(alpha, (value) => (value === 0 ? 1 : 0));
}

function boundingBox(editable: Uint8Array, { width, height }: PixelSize): Region | null {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      if (editable[y * width + x] !== 1) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = y;
    }
  }
  return right < 0 ? null : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** Rows of squares from the region's upper left; fewer than `count` if there is no room. */
function places(region: Region, count: number): { left: number; top: number; side: number }[] {
  const side = Math.max(24, Math.round(Math.min(region.width, region.height) / 9));
  const gap = Math.round(side / 5);
  const columns = Math.floor((region.width - gap) / (side + gap));
  const rows = Math.floor((region.height - gap) / (side + gap));
  return Array.from({ length: Math.min(count, Math.max(0, columns * rows)) }, (_, index) => ({
    left: region.left + gap + (index % columns) * (side + gap),
    top: region.top + gap + Math.floor(index / columns) * (side + gap),
    side,
  }));
}
