import type { PixelSize } from '../models/sizes.ts';
import type { EditParams } from './edit-params.ts';
import type { InputFiles } from './input-images.ts';

/** An encoded image and its base64 as ASCII bytes, because a string would double the memory. */
export interface EncodedImage {
  readonly bytes: Buffer;
  readonly base64: Buffer;
}

export function encodedImage(bytes: Buffer): EncodedImage {
  return { bytes, base64: Buffer.from(bytes.toString('base64'), 'latin1') };
}

/** Makes the images of one edit. */
export interface Sitting {
  readonly size: PixelSize;
  /** Final image `k` (from 1) of n in the requested format. No two are equal. */
  image(k: number): Promise<EncodedImage>;
  /** An earlier, blurrier state of image `k`: `index` counts from 0 up to `partialImages`. */
  partial(k: number, index: number): Promise<EncodedImage>;
}

/** The source of images: drawn from the inputs, or one prepared file. */
export interface Studio {
  /** Whether `inspect` and `open` need the bytes of the input files. */
  readonly keepsBytes: boolean;
  /**
   * Sizes of the input images.
   * @throws ApiRefusal if a file is not an image that the API accepts.
   */
  inspect(files: InputFiles): Promise<readonly PixelSize[]>;
  /** @throws ApiRefusal if an input has a valid header but cannot be decoded. */
  open(
    files: InputFiles,
    inputSizes: readonly PixelSize[],
    params: EditParams,
    requestId: string,
  ): Promise<Sitting>;
}
