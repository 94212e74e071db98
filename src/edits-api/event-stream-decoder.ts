import { discardStagedFile } from '../images/fs-staging.ts';
import type { StagedFile, Staging } from '../images/staging.ts';
import type { AnswerDecoder, AnswerLimits } from './answer-decoder.ts';
import { brokenAnswer, errorInStream } from './answer-errors.ts';
import type { OnPartialImage } from './edits-api.ts';
import { createEventStreamScanner } from './event-stream-scanner.ts';
import { createJsonScanner, type JsonScanner } from './json-scanner.ts';
import { createPictureWriter } from './picture-writer.ts';
import { sumUsages } from './sum-usages.ts';

/** Three for each of ten pictures, and room; further ones are dropped. */
const MAX_PARTIAL_IMAGES = 64;

/** Said at the end of a stream by servers that are used to it. */
const DONE = '[DONE]';

/** An event while it arrives. */
interface OpenEvent {
  readonly json: JsonScanner;
  /** How it begins, enough to tell DONE. */
  head: string;
  hasPicture: boolean;
  picture: StagedFile | null;
  /** What is wrong with it: whether that matters is known at its end. */
  failure: { readonly error: unknown } | null;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * An event stream: `image_edit.partial_image` as often as it comes, then one `image_edit.completed`
 * for each picture. The body is made to look like that of the JSON answer, usages summed up. A
 * picture on the way that is broken is dropped, since the edit does not depend on it.
 */
export function createEventStreamDecoder(options: {
  staging: Staging;
  limits: AnswerLimits;
  onPartialImage?: OnPartialImage | undefined;
}): AnswerDecoder {
  const { staging, limits, onPartialImage } = options;
  const { maxImages, maxImageBytes, maxBodyBytes } = limits;
  const scanner = createEventStreamScanner();
  const writer = createPictureWriter({ staging, maxImageBytes });
  const pictures = new Map<number, StagedFile>();
  const urls = new Map<number, string>();
  const completed: Json[] = [];
  let partials = 0;
  let reported: Error | null = null;
  let event: OpenEvent | null = null;

  const begin = (): OpenEvent => ({
    json: createJsonScanner({ place: 'root', maxSkeletonBytes: maxBodyBytes }),
    head: '',
    hasPicture: false,
    picture: null,
    failure: null,
  });

  async function takeData(open: OpenEvent, bytes: Buffer): Promise<void> {
    if (open.head.length <= DONE.length) open.head += bytes.toString('latin1', 0, DONE.length + 1);
    if (open.failure !== null) return;
    try {
      for (const part of open.json.scan(bytes)) {
        if (part.kind === 'text') await writer.write(part.bytes);
        else if (part.kind === 'close') open.picture = await writer.close();
        else {
          if (open.hasPicture) throw brokenAnswer('An event of the answer has two pictures.');
          open.hasPicture = true;
          await writer.open();
        }
      }
    } catch (error) {
      open.failure = { error };
      await writer.discard();
    }
  }

  async function endEvent(open: OpenEvent, name: string): Promise<void> {
    if (['', DONE].includes(open.head.trim())) return;
    const body = readBody(open);
    const type = typeof body?.['type'] === 'string' ? body['type'] : name;
    const { picture } = open;
    // Exactly one of the two below takes the picture over; what neither does is removed.
    open.picture = null;
    if (type.endsWith('.partial_image') && picture !== null && open.failure === null) {
      if (onPartialImage && partials < MAX_PARTIAL_IMAGES) onPartialImage(picture, partials);
      else await discardStagedFile(picture);
      partials += 1;
      return;
    }
    if (type.endsWith('.completed') && open.failure === null && body !== null) {
      complete(body, picture);
      return;
    }
    if (picture !== null) await discardStagedFile(picture);
    if (type.endsWith('.completed') || (type === '' && open.failure !== null)) {
      throw open.failure?.error ?? brokenAnswer('The answer is not an event stream of pictures.');
    }
    // The pictures beside it are paid for: it only counts when there are none.
    if (body !== null && (type === 'error' || 'error' in body)) reported ??= errorInStream(body);
  }

  function readBody(open: OpenEvent): Json | null {
    if (open.failure !== null) return null;
    try {
      const body = open.json.end();
      if (typeof body === 'object' && body !== null && !Array.isArray(body)) return { ...body };
      throw brokenAnswer('An event of the answer is not a JSON object.');
    } catch (error) {
      open.failure = { error };
      return null;
    }
  }

  function complete(body: Json, picture: StagedFile | null): void {
    const place = completed.push(body) - 1;
    if (picture !== null) pictures.set(place, picture);
    else if (typeof body['url'] === 'string') urls.set(place, body['url']);
    if (completed.length > maxImages) {
      throw brokenAnswer(`The answer has more than ${maxImages} pictures.`);
    }
  }

  return {
    async write(chunk) {
      for (const part of scanner.scan(chunk)) {
        event ??= begin();
        if (part.kind === 'data') await takeData(event, part.bytes);
        else {
          const ended = event;
          await endEvent(ended, part.name);
          event = null;
        }
      }
    },
    async end() {
      // A last event without its blank line counts when it is whole: it is paid for.
      if (event !== null) await endEvent(event, '');
      event = null;
      if (pictures.size + urls.size === 0) {
        throw reported ?? brokenAnswer('The event stream of the answer ended before its picture.');
      }
      return { body: toBody(completed), pictures, urls };
    },
    async discard() {
      await writer.discard();
      if (event?.picture) await discardStagedFile(event.picture);
      event = null;
      for (const file of pictures.values()) await discardStagedFile(file);
      pictures.clear();
    },
  };
}

/** The events' own words, in the shape of the JSON answer. */
function toBody(completed: readonly Json[]): Json {
  const [first = {}] = completed;
  const { type: _type, b64_json: _picture, url: _url, usage: _usage, created_at, ...said } = first;
  const usage = sumUsages(completed.map((body) => body['usage']));
  return {
    ...(created_at !== undefined && { created: created_at }),
    ...said,
    data: completed.map(() => ({})),
    ...(usage !== null && { usage }),
  };
}
