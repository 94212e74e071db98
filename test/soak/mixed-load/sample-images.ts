import { jpeg, noisePng, webp } from '../../support/test-images.ts';

export interface SampleImages {
  /** Up to 200 kB. */
  readonly small: readonly Buffer[];
  /** 1 to 8 MB. */
  readonly middle: readonly Buffer[];
  /** 25 MB. */
  readonly large: Buffer;
  readonly photos: readonly { readonly type: string; readonly bytes: Buffer }[];
}

export async function makeSampleImages(): Promise<SampleImages> {
  return {
    small: await Promise.all([5_000, 40_000, 200_000].map(noisePng)),
    middle: await Promise.all([1_000_000, 3_000_000, 8_000_000].map(noisePng)),
    large: await noisePng(25_000_000),
    photos: [
      { type: 'image/jpeg', bytes: await jpeg(1_200, 800) },
      { type: 'image/webp', bytes: await webp(800, 1_200) },
    ],
  };
}
