import { discardStagedFile } from '../../images/storage/fs-staging.ts';
import type { StagedFile } from '../../images/storage/staging.ts';
import type { OnPartialImage } from '../edits-api.ts';
import type { ImageElement } from './image-collector.ts';

/** Three for each of ten images, and some more; further ones are discarded. */
const MAX_PARTIAL_IMAGES = 64;

/** The images of an event stream: partial ones are passed on, output images are collected. */
export interface StreamedImages {
  /** Output images so far, complete or broken. */
  readonly places: number;
  /** Partial images so far. */
  readonly partials: number;
  readonly images: Map<number, StagedFile>;
  readonly urls: Map<number, string>;
  /** Takes the images of a partial event, of which it should have one. */
  takePartial(elements: readonly ImageElement[]): Promise<void>;
  /** Takes the output images of an event. Those above `maxImages` are discarded. */
  takeOutput(elements: readonly ImageElement[]): Promise<void>;
  discard(): Promise<void>;
}

export function createStreamedImages(options: {
  maxImages: number;
  onPartialImage?: OnPartialImage | undefined;
}): StreamedImages {
  const { maxImages, onPartialImage } = options;
  const images = new Map<number, StagedFile>();
  const urls = new Map<number, string>();
  let places = 0;
  let partials = 0;

  return {
    get places() {
      return places;
    },
    get partials() {
      return partials;
    },
    images,
    urls,
    async takePartial(elements) {
      for (const { image } of elements) {
        if (image === null) continue;
        if (onPartialImage && partials < MAX_PARTIAL_IMAGES) onPartialImage(image, partials);
        else await discardStagedFile(image);
        partials += 1;
      }
    },
    async takeOutput(elements) {
      for (const { image, url } of elements) {
        const place = places++;
        if (place < maxImages) {
          if (image !== null) images.set(place, image);
          if (url !== null) urls.set(place, url);
        } else if (image !== null) await discardStagedFile(image);
      }
    },
    async discard() {
      for (const file of images.values()) await discardStagedFile(file);
      images.clear();
    },
  };
}
