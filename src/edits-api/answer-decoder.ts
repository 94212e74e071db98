import { discardStagedFile } from '../images/fs-staging.ts';
import type { StagedFile, Staging, StagingWriter } from '../images/staging.ts';
import { brokenAnswer } from './answer-errors.ts';
import { assertPicture } from './assert-picture.ts';
import { createBase64Stream } from './base64-stream.ts';
import { createJsonScanner } from './json-scanner.ts';

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
  const scanner = createJsonScanner({ maxSkeletonBytes: limits.maxBodyBytes });
  const base64 = createBase64Stream();
  const pictures = new Map<number, StagedFile>();
  let current: { index: number; writer: StagingWriter } | null = null;

  async function open(index: number): Promise<void> {
    if (pictures.has(index)) throw brokenAnswer('The answer has two pictures in one place.');
    if (pictures.size === limits.maxImages) {
      throw brokenAnswer(`The answer has more than ${limits.maxImages} pictures.`);
    }
    current = { index, writer: await staging.create() };
  }

  async function store(block: Buffer): Promise<void> {
    if (current === null) return;
    if (current.writer.bytes + block.length > limits.maxImageBytes) {
      throw brokenAnswer(`A picture in the answer has more than ${limits.maxImageBytes} bytes.`);
    }
    await current.writer.write(block);
  }

  async function close(): Promise<void> {
    for (const block of base64.end()) await store(block);
    if (current === null) return;
    const file = await current.writer.finish();
    pictures.set(current.index, file);
    current = null;
    assertPicture(file);
  }

  return {
    async write(chunk) {
      for (const event of scanner.scan(chunk)) {
        if (event.kind === 'open') await open(event.index);
        else if (event.kind === 'close') await close();
        else for (const block of base64.decode(event.bytes)) await store(block);
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
      await current?.writer.discard();
      current = null;
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
