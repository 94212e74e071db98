import { discardStagedFile } from '../../images/storage/fs-staging.ts';
import type { Staging } from '../../images/storage/staging.ts';
import type { OnPartialImage } from '../edits-api.ts';
import { EditsApiError } from '../edits-api-error.ts';
import type { AnswerDecoder, AnswerLimits } from './answer-decoder.ts';
import { brokenAnswer, errorInStream } from './answer-errors.ts';
import { createEventStreamScanner } from './event-stream-scanner.ts';
import { findUsage, sumUsages } from './find-usage.ts';
import { createPictureCollector, type PictureCollector } from './image-collector.ts';
import { createPictureWriter } from './image-writer.ts';
import { createJsonScanner, type JsonScanner } from './json-scanner.ts';
import { createStreamedImages } from './streamed-images.ts';

/** Said at the end of a stream by servers that are used to it. */
const DONE = '[DONE]';

/** Of an event that is no JSON: enough for the words of an error. */
const MAX_TEXT_BYTES = 2_048;

/** An event while it arrives. */
interface OpenEvent {
  readonly json: JsonScanner;
  readonly collector: PictureCollector;
  /** How it begins: DONE, or the words of an error. */
  head: string;
  /** What is wrong with it: whether that matters is known at its end. */
  failure: EditsApiError | null;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * An event stream: `image_edit.partial_image` as often as it comes, then one `image_edit.completed`
 * for each picture. An event of any other name that has pictures counts as completed, such as a whole
 * JSON answer that is sent as one. The body is made to look like that of the JSON answer, usages
 * summed up. A picture that is broken is dropped: the others are paid for.
 */
export function createEventStreamDecoder(options: {
  staging: Staging;
  limits: AnswerLimits;
  /** How many pictures were asked for. */
  expectedImages: number;
  onPartialImage?: OnPartialImage | undefined;
}): AnswerDecoder {
  const { staging, limits, expectedImages, onPartialImage } = options;
  const { maxImages, maxImageBytes, maxBodyBytes } = limits;
  const scanner = createEventStreamScanner();
  const writer = createPictureWriter({ staging, maxImageBytes });
  const images = createStreamedImages({ maxImages, onPartialImage });
  const completed: Json[] = [];
  let errors = 0;
  let isDone = false;
  let reported: EditsApiError | null = null;
  /** The first error as it came; '' if images came before it, for then it was worked on. */
  let errorText: string | null = null;
  let broken: EditsApiError | null = null;
  let usageApart: unknown;
  let event: OpenEvent | null = null;

  const begin = (): OpenEvent => ({
    json: createJsonScanner({ maxSkeletonBytes: maxBodyBytes }),
    collector: createPictureCollector({ writer, maxPictures: maxImages }),
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
    // Cut before its type came, it may be a picture on the way.
    const isNamed = type !== '' || failure === null;
    const usable = elements.filter(({ group }) => isNamed || group !== '');
    if (usable.some(({ picture, url }) => picture !== null || url !== null)) {
      completed.push(body);
      broken ??= problem;
      return images.takeOutput(usable);
    }
    for (const { picture } of elements) if (picture !== null) await discardStagedFile(picture);
    if (type.endsWith('.completed') || type === '') broken ??= problem;
    if (type.endsWith('.completed')) completed.push(body);
    // The pictures beside it are paid for: it only counts when there are none.
    if (type === 'error' || (body['error'] ?? null) !== null) {
      errors += 1;
      reported ??= errorInStream(body);
      const text = isObject(document) ? JSON.stringify(document) : open.head;
      errorText ??= images.partials + images.places > 0 ? '' : text;
    } else if (isObject(body['usage'])) usageApart = body['usage'];
  }

  /** Whether an event that is open may bring something yet. */
  const isWaiting = () => event !== null && !event.json.isWhole && event.failure === null;

  function usage(): unknown {
    const usages = completed.map(findUsage);
    return usages.some(isObject) ? sumUsages(usages) : usageApart;
  }

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
      // A last event without its blank line counts when it is whole: it is paid for.
      if (event !== null) await endEvent(event, scanner.name);
      event = null;
      const isPart = isCut && !isDone && images.places < expectedImages;
      return {
        body: toBody(completed, isPart ? null : usage()),
        pictures: images.pictures,
        urls: images.urls,
        text: errorText ?? '',
        failure:
          reported ??
          broken ??
          brokenAnswer('The event stream of the answer ended before its picture.'),
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

/** The events' own words, in the shape of the JSON answer. */
function toBody(completed: readonly Json[], usage: unknown): Json {
  const [first = {}] = completed;
  const { type: _type, b64_json: _picture, url: _url, usage: _usage, created_at, ...said } = first;
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
