import { discardStagedFile } from '../../images/storage/fs-staging.ts';
import type { StagedFile } from '../../images/storage/staging.ts';
import type { OnPartialImage } from '../edits-api.ts';
import type { PictureElement } from './image-collector.ts';

/** Three for each of ten images, and some more; further ones are discarded. */
const MAX_PARTIAL_IMAGES = 64;

/** The images of an event stream: partial ones are passed on, output images are collected. */
export interface StreamedImages {
  /** Output images so far, complete or broken. */
  readonly places: number;
  /** Partial images so far. */
  readonly partials: number;
  readonly pictures: Map<number, StagedFile>;
  readonly urls: Map<number, string>;
  /** Takes the images of a partial event, of which it should have one. */
  takePartial(elements: readonly PictureElement[]): Promise<void>;
  /** Takes the output images of an event. Those above `maxImages` are discarded. */
  takeOutput(elements: readonly PictureElement[]): Promise<void>;
  discard(): Promise<void>;
}

export function createStreamedImages(options: {
  maxImages: number;
  onPartialImage?: OnPartialImage | undefined;
}): StreamedImages {
  const { maxImages, onPartialImage } = options;
  const pictures = new Map<number, StagedFile>();
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
    pictures,
    urls,
    async takePartial(elements) {
      for (const { picture } of elements) {
        if (picture === null) continue;
        if (onPartialImage && partials < MAX_PARTIAL_IMAGES) onPartialImage(picture, partials);
        else await discardStagedFile(picture);
        partials += 1;
      }
    },
    async takeOutput(elements) {
      for (const { picture, url } of elements) {
        const place = places++;
        if (place < maxImages) {
          if (picture !== null) pictures.set(place, picture);
          if (url !== null) urls.set(place, url);
        } else if (picture !== null) await discardStagedFile(picture);
      }
    },
    async discard() {
      for (const file of pictures.values()) await discardStagedFile(file);
      pictures.clear();
    },
  };
}
