import { checkAll, checkEach, InvalidInputError } from '../../errors.ts';
import type { EditModel } from '../../models/model.ts';
import type { Models } from '../../models/models.ts';
import { nearestSize, type PixelSize } from '../../models/sizes.ts';
import type { EditParams } from './parameters.ts';

/** What a model's limits need to know of an image. */
export interface InputFacts extends PixelSize {
  readonly bytes: number;
  readonly format: 'PNG' | 'JPEG' | 'WEBP';
  readonly hasAlpha: boolean;
}

/**
 * Checks the images against the model, and works out the size to send.
 * @throws InvalidInputError naming the fields and the limits.
 */
export function checkImages(
  params: EditParams,
  models: Models,
  images: readonly InputFacts[],
  mask: InputFacts | null,
): { resolvedSize: string } {
  const model = models.get(params.model);
  const [first] = images;
  if (first === undefined) throw noImage();
  checkAll({
    images: () =>
      checkEach(images, ({ bytes }, index) =>
        checkBytes(`images[${index}]`, bytes, model.maxImageBytes, model),
      ),
    mask: () => mask && checkMask(mask, first, model),
  });
  return { resolvedSize: resolveSize(params, models, first) };
}

/** The size to send: `auto` or WIDTHxHEIGHT. */
export function resolveSize(
  { size, model }: Pick<EditParams, 'size' | 'model'>,
  models: Models,
  firstImage: PixelSize,
): string {
  if (size !== 'source') return size;
  const { sizes } = models.get(model);
  return sizes === null ? 'auto' : nearestSize(sizes, firstImage);
}

/** @throws InvalidInputError unless 1 to the model's number of images are given. */
export function checkImageCount(count: number, maxImages: number): void {
  if (count < 1) throw noImage();
  if (count > maxImages) {
    throw new InvalidInputError(
      'images',
      'TOO_MANY',
      `images may have at most ${maxImages} items; it has ${count}.`,
    );
  }
}

function noImage(): InvalidInputError {
  return new InvalidInputError('images', 'REQUIRED', 'images must have at least one item.');
}

function checkBytes(field: string, bytes: number, max: number | null, model: EditModel): void {
  if (max === null || bytes <= max) return;
  throw new InvalidInputError(
    field,
    'TOO_LARGE',
    `${model.id} accepts at most ${max} bytes for ${field}; it has ${bytes}.`,
  );
}

function checkMask(mask: InputFacts, first: InputFacts, model: EditModel): void {
  checkAll({
    format() {
      if (mask.format === 'PNG' && mask.hasAlpha) return;
      throw new InvalidInputError(
        'mask',
        'UNSUPPORTED_FORMAT',
        'mask must be a PNG with an alpha channel; its transparent pixels are edited.',
      );
    },
    dimensions() {
      if (mask.width === first.width && mask.height === first.height) return;
      throw new InvalidInputError(
        'mask',
        'DIMENSION_MISMATCH',
        `mask must have the dimensions of the first image, ${first.width}x${first.height}; it has ${mask.width}x${mask.height}.`,
      );
    },
    bytes: () => checkBytes('mask', mask.bytes, model.maxMaskBytes, model),
  });
}
