import { discardStagedFile } from '../../images/storage/fs-staging.ts';
import type { StagedFile, Staging } from '../../images/storage/staging.ts';
import { EditsApiError } from '../edits-api-error.ts';
import type { AnswerDecoder, AnswerLimits } from './answer-decoder.ts';
import { brokenAnswer } from './answer-errors.ts';
import { createPictureCollector } from './image-collector.ts';
import { createPictureWriter } from './image-writer.ts';
import { createJsonScanner } from './json-scanner.ts';

/** `{ data: [{ b64_json | url }], … }`, and what others make of it: see picture-place.ts. */
export function createJsonAnswerDecoder(options: {
  staging: Staging;
  limits: AnswerLimits;
}): AnswerDecoder {
  const { staging, limits } = options;
  const { maxImages, maxImageBytes, maxBodyBytes } = limits;
  const scanner = createJsonScanner({ maxSkeletonBytes: maxBodyBytes });
  const writer = createPictureWriter({ staging, maxImageBytes });
  const collector = createPictureCollector({ writer, maxPictures: maxImages });
  const pictures = new Map<number, StagedFile>();
  const urls = new Map<number, string>();
  /** What is wrong with the document behind its first image. */
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
      for (const [place, { picture, url }] of elements.entries()) {
        // Images come first: a link is only a way to one.
        if (picture !== null) pictures.set(place, picture);
        if (url !== null && (picture !== null || pictures.size + urls.size < maxImages)) {
          urls.set(place, url);
        }
      }
      return {
        body: toBody(document),
        pictures,
        urls,
        text,
        failure:
          failure ??
          elements.find((element) => element.failure !== null)?.failure ??
          brokenAnswer('The answer has no picture.'),
      };
    },
    async discard() {
      await collector.discard();
      for (const file of pictures.values()) await discardStagedFile(file);
      pictures.clear();
    },
  };
}

/** The document without what is left of its images. */
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
