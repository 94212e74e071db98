import { discardStagedFile } from '../../images/storage/fs-staging.ts';
import type { Staging } from '../../images/storage/staging.ts';
import type { OnPartialImage } from '../edits-api.ts';
import { EditsApiError } from '../edits-api-error.ts';
import type { AnswerDecoder, AnswerLimits } from './answer-decoder.ts';
import { brokenAnswer, errorInStream } from './answer-errors.ts';
import { createEventStreamScanner } from './event-stream-scanner.ts';
import { findUsage, sumUsages } from './find-usage.ts';
import { createImageCollector, type ImageCollector } from './image-collector.ts';
import { createImageWriter } from './image-writer.ts';
import { createJsonScanner, type JsonScanner } from './json-scanner.ts';
import { createStreamedImages } from './streamed-images.ts';

/** Sent at the end of a stream by many servers. */
const DONE = '[DONE]';

/** Limit for an event that is not JSON: enough for an error message. */
const MAX_TEXT_BYTES = 2_048;

/** An event while it arrives. */
interface OpenEvent {
  readonly json: JsonScanner;
  readonly collector: ImageCollector;
  /** Its beginning: DONE, or an error message. */
  head: string;
  /** Its failure; whether that matters is known only at its end. */
  failure: EditsApiError | null;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Decodes an event stream: any number of `image_edit.partial_image`, then one
 * `image_edit.completed` per image. Any other event with images counts as completed, such as a
 * whole JSON response in one event. The resulting body has the shape of the JSON response, with the
 * usages added up. A broken image is dropped, because the others are paid for.
 */
export function createEventStreamDecoder(options: {
  staging: Staging;
  limits: AnswerLimits;
  /** Number of requested images. */
  expectedImages: number;
  onPartialImage?: OnPartialImage | undefined;
}): AnswerDecoder {
  const { staging, limits, expectedImages, onPartialImage } = options;
  const { maxImages, maxImageBytes, maxBodyBytes } = limits;
  const scanner = createEventStreamScanner();
  const writer = createImageWriter({ staging, maxImageBytes });
  const images = createStreamedImages({ maxImages, onPartialImage });
  const completed: Json[] = [];
  let errors = 0;
  let isDone = false;
  let reported: EditsApiError | null = null;
  /** The first error; '' if images arrived before it, because the edit was then processed. */
  let errorText: string | null = null;
  let broken: EditsApiError | null = null;
  let usageApart: unknown;
  let event: OpenEvent | null = null;

  const begin = (): OpenEvent => ({
    json: createJsonScanner({ maxSkeletonBytes: maxBodyBytes }),
    collector: createImageCollector({ writer, maxImages }),
    head: '',
    failure: null,
  });

  async function takeData(open: OpenEvent, bytes: Buffer): Promise<void> {
    if (open.head.length < MAX_TEXT_BYTES) open.head += bytes.toString('utf8', 0, MAX_TEXT_BYTES);
    if (open.head.trim() === DONE) isDone = true;
    if (open.failure !== null) return;
    try {
      for (const part of open.json.scan(bytes)) await open.collector.take(part);
    } catch (error) {
      if (!(error instanceof EditsApiError)) throw error;
      open.failure = error;
      await writer.discard();
    }
  }

  async function endEvent(open: OpenEvent, name: string): Promise<void> {
    if (['', DONE].includes(open.head.trim())) return;
    const { document, failure } = open.json.end();
    const body = isObject(document) ? document : {};
    const type = typeof body['type'] === 'string' ? body['type'] : name;
    const elements = await open.collector.end();
    const problem = open.failure ?? failure ?? elements.find((one) => one.failure)?.failure ?? null;
    if (type.endsWith('partial_image')) return images.takePartial(elements);
    // Without its type, it may be a partial image.
    const isNamed = type !== '' || failure === null;
    const usable = elements.filter(({ group }) => isNamed || group !== '');
    if (usable.some(({ image, url }) => image !== null || url !== null)) {
      completed.push(body);
      broken ??= problem;
      return images.takeOutput(usable);
    }
    for (const { image } of elements) if (image !== null) await discardStagedFile(image);
    if (type.endsWith('.completed') || type === '') broken ??= problem;
    if (type.endsWith('.completed')) completed.push(body);
    // The images of the event are paid for, so this only counts if there are none.
    if (type === 'error' || (body['error'] ?? null) !== null) {
      errors += 1;
      reported ??= errorInStream(body);
      const text = isObject(document) ? JSON.stringify(document) : open.head;
      errorText ??= images.partials + images.places > 0 ? '' : text;
    } else if (isObject(body['usage'])) usageApart = body['usage'];
  }

  /** Whether the open event may still deliver something. */
  const isWaiting = () => event !== null && !event.json.isWhole && event.failure === null;

  return {
    async write(chunk) {
      for (const part of scanner.scan(chunk)) {
        event ??= begin();
        if (part.kind === 'data') await takeData(event, part.bytes);
        else {
          const ended = event;
          event = null;
          await endEvent(ended, part.name);
        }
      }
    },
    get state() {
      if (isDone) return 'whole';
      const open = event?.json.isWhole ? event.collector.size : 0;
      const isEnough = Math.max(images.places, completed.length) + errors + open >= expectedImages;
      return isEnough && !isWaiting() ? 'enough' : 'more';
    },
    async end({ isCut }) {
      // A complete last event without its blank line counts, because it is paid for.
      if (event !== null) await endEvent(event, scanner.name);
      event = null;
      const isPart = isCut && !isDone && images.places < expectedImages;
      return {
        body: toBody(completed, isPart ? null : usageOf(completed, usageApart)),
        images: images.images,
        urls: images.urls,
        text: errorText ?? '',
        failure:
          reported ??
          broken ??
          brokenAnswer('The event stream of the response ended before its image.'),
      };
    },
    async discard() {
      await writer.discard();
      await event?.collector.discard();
      event = null;
      await images.discard();
    },
  };
}

/** @param apart Counts if no completed event has usage. */
function usageOf(completed: readonly Json[], apart: unknown): unknown {
  const usages = completed.map(findUsage);
  return usages.some(isObject) ? sumUsages(usages) : apart;
}

/** The fields of the events, in the shape of the JSON response. */
function toBody(completed: readonly Json[], usage: unknown): Json {
  const [first = {}] = completed;
  const { type: _type, b64_json: _image, url: _url, usage: _usage, created_at, ...said } = first;
  return {
    ...(created_at !== undefined && { created: created_at }),
    ...said,
    data: completed.map(() => ({})),
    ...(isObject(usage) && { usage }),
  };
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
