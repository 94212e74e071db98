import { InvalidInputError } from '../../errors.ts';
import type { EditModel } from '../../models/model.ts';
import type { Models } from '../../models/models.ts';
import { nearestSize, type PixelSize } from '../../models/sizes.ts';
import type { EditParams } from './parameters.ts';

/** What a model's limits need to know of a picture. */
export interface PictureFacts extends PixelSize {
  readonly bytes: number;
  readonly format: 'PNG' | 'JPEG' | 'WEBP';
  readonly hasAlpha: boolean;
}

/**
 * Checks the pictures against the model, and works out the size to send.
 * @throws InvalidInputError naming the field and the limit.
 */
export function checkPictures(
  params: EditParams,
  models: Models,
  images: readonly PictureFacts[],
  mask: PictureFacts | null,
): { resolvedSize: string } {
  const model = models.get(params.model);
  images.forEach((image, index) => {
    checkBytes(`images[${index}]`, image.bytes, model.maxImageBytes, model);
  });
  const [first] = images;
  if (first === undefined) {
    throw new InvalidInputError('images', 'REQUIRED', 'At least one picture is needed.');
  }
  if (mask !== null) checkMask(mask, first, model);
  return { resolvedSize: resolveSize(params, models, first) };
}

/** The size to send: `auto` or WIDTHxHEIGHT. */
export function resolveSize(
  { size, model }: Pick<EditParams, 'size' | 'model'>,
  models: Models,
  firstPicture: PixelSize,
): string {
  if (size !== 'source') return size;
  const { sizes } = models.get(model);
  return sizes === null ? 'auto' : nearestSize(sizes, firstPicture);
}

/** @throws InvalidInputError unless 1 to the model's number of pictures are given. */
export function checkImageCount(count: number, maxImages: number): void {
  if (count < 1) {
    throw new InvalidInputError('images', 'REQUIRED', 'At least one picture is needed.');
  }
  if (count > maxImages) {
    throw new InvalidInputError(
      'images',
      'TOO_MANY',
      `At most ${maxImages} pictures can be edited together; ${count} were given.`,
    );
  }
}

function checkBytes(field: string, bytes: number, max: number | null, model: EditModel): void {
  if (max === null || bytes <= max) return;
  throw new InvalidInputError(
    field,
    'TOO_LARGE',
    `${model.id} takes pictures of at most ${max} bytes here; this one has ${bytes}.`,
  );
}

function checkMask(mask: PictureFacts, first: PictureFacts, model: EditModel): void {
  if (mask.format !== 'PNG' || !mask.hasAlpha) {
    throw new InvalidInputError(
      'mask',
      'UNSUPPORTED_FORMAT',
      'The mask is a PNG with an alpha channel: its transparent pixels are what to edit.',
    );
  }
  if (mask.width !== first.width || mask.height !== first.height) {
    throw new InvalidInputError(
      'mask',
      'DIMENSION_MISMATCH',
      `The mask must have the first picture’s dimensions, ${first.width}x${first.height}; it has ${mask.width}x${mask.height}.`,
    );
  }
  checkBytes('mask', mask.bytes, model.maxMaskBytes, model);
}
