import { discardStagedFile } from '../../images/storage/fs-staging.ts';
import type { StagedFile, Staging } from '../../images/storage/staging.ts';
import { EditsApiError } from '../edits-api-error.ts';
import type { AnswerDecoder, AnswerLimits } from './answer-decoder.ts';
import { brokenAnswer } from './answer-errors.ts';
import { createImageCollector } from './image-collector.ts';
import { createImageWriter } from './image-writer.ts';
import { createJsonScanner } from './json-scanner.ts';

/**
 * Decodes `{ data: [{ b64_json
 *  url }], … }` and its variants: see image-place.ts.
 */
export function createJsonAnswerDecoder(options: {
  staging: Staging;
  limits: AnswerLimits;
}): AnswerDecoder {
  const { staging, limits } = options;
  const { maxImages, maxImageBytes, maxBodyBytes } = limits;
  const scanner = createJsonScanner({ maxSkeletonBytes: maxBodyBytes });
  const writer = createImageWriter({ staging, maxImageBytes });
  const collector = createImageCollector({ writer, maxImages: maxImages });
  const images = new Map<number, StagedFile>();
  const urls = new Map<number, string>();
  /** The failure of the document after its first image. */
  let broken: EditsApiError | null = null;

  return {
    async write(chunk) {
      if (broken !== null) return;
      try {
        for (const event of scanner.scan(chunk)) await collector.take(event);
      } catch (error) {
        if (!(error instanceof EditsApiError) || collector.size === 0) throw error;
        broken = error;
        await writer.discard();
      }
    },
    get state() {
      return scanner.isWhole ? 'whole' : 'more';
    },
    async end() {
      const { document, text, failure } = scanner.end();
      const elements = await collector.end();
      for (const [place, { image, url }] of elements.entries()) {
        // Images take precedence, because a link is only a way to one.
        if (image !== null) images.set(place, image);
        if (url !== null && (image !== null || images.size + urls.size < maxImages)) {
          urls.set(place, url);
        }
      }
      return {
        body: toBody(document),
        images,
        urls,
        text,
        failure:
          failure ??
          elements.find((element) => element.failure !== null)?.failure ??
          brokenAnswer('The response contains no image.'),
      };
    },
    async discard() {
      await collector.discard();
      for (const file of images.values()) await discardStagedFile(file);
      images.clear();
    },
  };
}

/** The document without the remains of its images. */
function toBody(document: unknown): Readonly<Record<string, unknown>> {
  if (typeof document !== 'object' || document === null) return {};
  const body: Record<string, unknown> = Array.isArray(document)
    ? { data: document }
    : { ...document };
  const { data } = body;
  for (const element of Array.isArray(data) ? data : []) {
    if (typeof element === 'object' && element !== null) delete element.b64_json;
  }
  return body;
}
