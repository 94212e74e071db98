import { InvalidInputError } from '../../../errors.ts';
import type { ReceivedImage } from '../../../images/images.ts';
import type { GivenValues } from './given-values.ts';

/** Where one image of a request comes from. */
export type ImageSource = {
  /** Its name in the request. */
  readonly field: string;
} & (
  | {
      readonly kind: 'received';
      /** Null: it is invalid, and the problem is noted. */
      readonly image: ReceivedImage | null;
    }
  | { readonly kind: 'url'; readonly url: string }
  /** A global id, not looked up yet. */
  | { readonly kind: 'stored'; readonly id: string }
);

/** What a request consists of. */
export interface RequestContent {
  readonly values: GivenValues;
  /** In the order of the edit. */
  readonly images: readonly ImageSource[];
  readonly mask: ImageSource | null;
}

/** No model accepts more. */
export const MAX_IMAGES = 16;
export const MAX_FILES = MAX_IMAGES + 1;

/** Limit of everything in a request that is not an image. */
export const MAX_TEXT_BYTES = 1024 * 1024;

export function tooManyImages(field: string): InvalidInputError {
  return new InvalidInputError(
    field,
    'TOO_MANY',
    `The request may have at most ${MAX_IMAGES} images and one mask.`,
  );
}

export function tooMuchText(field: string): InvalidInputError {
  return new InvalidInputError(
    field,
    'TOO_LARGE',
    `${field} is too long: the request may have at most ${MAX_TEXT_BYTES.toLocaleString('en-US')} bytes besides its images.`,
  );
}
