import { discardStagedFile } from '../images/fs-staging.ts';
import type { StagedFile, Staging } from '../images/staging.ts';
import { brokenAnswer } from './answer-errors.ts';
import { createJsonScanner } from './json-scanner.ts';
import { createPictureWriter } from './picture-writer.ts';

export interface DecodedAnswer {
  /** The answer without its pictures. */
  readonly body: Readonly<Record<string, unknown>>;
  /** Pictures that came inside the answer, by their place in `data`. */
  readonly pictures: ReadonlyMap<number, StagedFile>;
  /** Pictures that must be fetched, by their place in `data`. */
  readonly urls: ReadonlyMap<number, string>;
}

/**
 * Takes an answer as it arrives and stages its pictures. One decoder reads one answer; every kind
 * of answer (one JSON document, an event stream) has its own.
 */
export interface AnswerDecoder {
  /** Resolves when the chunk is dealt with, which is backpressure. @throws EditsApiError BROKEN_ANSWER */
  write(chunk: Buffer): Promise<void>;
  /** The answer is whole. @throws EditsApiError BROKEN_ANSWER */
  end(): Promise<DecodedAnswer>;
  /** Removes every picture staged so far, finished or not. */
  discard(): Promise<void>;
}

export interface AnswerLimits {
  readonly maxImages: number;
  /** Per picture, decoded. */
  readonly maxImageBytes: number;
  /** Of everything but the pictures. */
  readonly maxBodyBytes: number;
}

/** `{ data: [{ b64_json | url }], … }` */
export function createJsonAnswerDecoder(options: {
  staging: Staging;
  limits: AnswerLimits;
}): AnswerDecoder {
  const { staging, limits } = options;
  const scanner = createJsonScanner({ place: 'data', maxSkeletonBytes: limits.maxBodyBytes });
  const writer = createPictureWriter({ staging, maxImageBytes: limits.maxImageBytes });
  const pictures = new Map<number, StagedFile>();
  let index = 0;

  async function open(place: number): Promise<void> {
    if (pictures.has(place)) throw brokenAnswer('The answer has two pictures in one place.');
    if (pictures.size === limits.maxImages) {
      throw brokenAnswer(`The answer has more than ${limits.maxImages} pictures.`);
    }
    index = place;
    await writer.open();
  }

  return {
    async write(chunk) {
      for (const event of scanner.scan(chunk)) {
        if (event.kind === 'open') await open(event.index);
        else if (event.kind === 'close') pictures.set(index, await writer.close());
        else await writer.write(event.bytes);
      }
    },
    async end() {
      const body = scanner.end();
      if (typeof body !== 'object' || body === null || Array.isArray(body)) {
        throw brokenAnswer('The answer is not a JSON object.');
      }
      const record: Record<string, unknown> = { ...body };
      const urls = takeUrls(record['data'], pictures);
      if (pictures.size + urls.size === 0) throw brokenAnswer('The answer has no picture.');
      if (pictures.size + urls.size > limits.maxImages) {
        throw brokenAnswer(`The answer has more than ${limits.maxImages} pictures.`);
      }
      return { body: record, pictures, urls };
    },
    async discard() {
      await writer.discard();
      for (const file of pictures.values()) await discardStagedFile(file);
      pictures.clear();
    },
  };
}

/**
 * Drops every `b64_json`, and answers the URLs of the elements that came without one. An element with
 * neither is passed over: the pictures beside it are paid for.
 */
function takeUrls(data: unknown, pictures: ReadonlyMap<number, StagedFile>): Map<number, string> {
  if (!Array.isArray(data)) throw brokenAnswer('The answer has no list of pictures.');
  const urls = new Map<number, string>();
  for (const [index, element] of data.entries()) {
    if (typeof element !== 'object' || element === null) continue;
    if (!pictures.has(index) && typeof element.url === 'string') urls.set(index, element.url);
    delete element.b64_json;
  }
  return urls;
}
