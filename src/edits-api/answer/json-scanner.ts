import { isUtf8 } from 'node:buffer';
import type { EditsApiError } from '../edits-api-error.ts';
import { brokenAnswer } from './answer-errors.ts';
import { createByteList } from './byte-list.ts';
import { groupOf, isLink, kindOf, MAX_START, mayBeImage } from './image-place.ts';
import { takeEscape } from './json-escape.ts';
import { parseCutJson } from './parse-cut-json.ts';
import { parseLooseJson } from './parse-loose-json.ts';

/** Where an image stands: several forms of one image have the same element. */
export interface ImagePlace {
  /** Counted in the order of the document. */
  readonly element: number;
  /** See `groupOf`. */
  readonly group: string;
}

/** `text` is valid until the next step of the scan only. Escapes in it are resolved. */
export type ScanEvent =
  | ({ readonly kind: 'open'; readonly isDataUrl: boolean } & ImagePlace)
  | { readonly kind: 'text'; readonly bytes: Buffer }
  | { readonly kind: 'close' }
  | ({ readonly kind: 'link'; readonly url: string } & ImagePlace);

export interface ScannedJson {
  /**
   * The document, with "" in place of each image and of strings longer than 256 KiB. Of one that was
   * cut, what of it is whole.
   */
  readonly document: unknown;
  /** The same as it stands there. */
  readonly text: string;
  /** Why it is not one whole document; null when it is. */
  readonly failure: EditsApiError | null;
}

export interface JsonScanner {
  /** The next bytes, cut anywhere. What is behind the document is passed over. @throws EditsApiError BROKEN_ANSWER */
  scan(chunk: Buffer): Generator<ScanEvent, void>;
  /** Whether the document's last bracket has come. */
  readonly isWhole: boolean;
  end(): ScannedJson;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Images stand no deeper. */
const MAX_DEPTH = 8;

/** Twice the longest prompt. What is longer is nothing that we read, such as an echoed input image. */
const MAX_STRING_BYTES = 256 * 1024;

/** Of all such strings: an input image of 25 MB in base64, and room. */
const MAX_LEFT_OUT_BYTES = 36 * 1024 * 1024;

interface Level {
  readonly isObject: boolean;
  readonly element: number;
  /** The last one read, of an object. */
  key: string;
}

/** A string that may be an image, a link, or neither. */
interface Candidate {
  readonly place: ImagePlace;
  readonly key: string | null;
  /** In the skeleton, of its opening quote. */
  readonly quoteAt: number;
  /** How it begins, escapes resolved. */
  start: string;
}

/**
 * Finds the images and links in a JSON document that arrives in pieces, and hands them out as they
 * come. Everything but images is kept (at most `maxSkeletonBytes`) and parsed by JSON.parse at
 * the end. So this scanner need only be right about valid JSON: an empty string in place of an image
 * leaves a broken document broken, and JSON.parse says so.
 */
export function createJsonScanner({ maxSkeletonBytes }: { maxSkeletonBytes: number }): JsonScanner {
  const tooLong = (maxBytes: number) =>
    brokenAnswer(`The response has more than ${maxBytes} bytes besides its images.`);
  const skeleton = createByteList(maxSkeletonBytes, () => tooLong(maxSkeletonBytes));
  let state: 'structure' | 'string' | 'candidate' | 'image' = 'structure';
  let depth = 0;
  let isWhole = false;
  /** From the root down; deeper ones than MAX_DEPTH never matter. */
  const levels: Level[] = [];
  let elements = 0;
  let afterColon = false;
  /** Where in the skeleton the key being read starts; -1 for any other string. */
  let keyStart = -1;
  let candidate: Candidate | null = null;
  /** Where in the skeleton the string being read starts. */
  let stringStart = 0;
  /** It is too long, and passed over. */
  let isLeftOut = false;
  let leftOutBytes = 0;
  /** Of the string being read: the escape so far, from its backslash on, or ''. */
  let escaped = '';

  /** What the string that begins now may be; its opening quote is the skeleton's last byte. */
  function findCandidate(): Candidate | null {
    const level = levels[depth - 1];
    if (depth > MAX_DEPTH || level === undefined || (level.isObject && !afterColon)) return null;
    const path = levels.slice(0, depth).map(({ isObject, key }) => (isObject ? key : null));
    if (!mayBeImage(path)) return null;
    const element = level.isObject ? level.element : ++elements;
    const place = { element, group: groupOf(path) };
    return { place, key: path.at(-1) ?? null, quoteAt: skeleton.length - 1, start: '' };
  }

  function open(isObject: boolean): void {
    depth += 1;
    afterColon = false;
    elements += 1;
    if (depth <= MAX_DEPTH) levels[depth - 1] = { isObject, element: elements, key: '' };
  }

  /** Reads up to and including the next opening quote or the document's end. Answers where it stopped. */
  function scanStructure(chunk: Buffer, start: number): number {
    let at = start;
    while (at < chunk.length && state === 'structure' && !isWhole) {
      const byte = chunk[at++];
      if (byte === QUOTE) {
        state = 'string';
      } else if (byte === COLON) {
        afterColon = true;
      } else if (byte === COMMA) {
        afterColon = false;
      } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        open(byte === OPEN_OBJECT);
      } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
        depth = Math.max(0, depth - 1);
        isWhole = depth === 0;
      }
    }
    skeleton.append(chunk, start, at);
    if (state === 'string') beginString();
    return isWhole ? chunk.length : at;
  }

  function beginString(): void {
    const isKey = depth <= MAX_DEPTH && levels[depth - 1]?.isObject === true && !afterColon;
    stringStart = skeleton.length - 1;
    isLeftOut = false;
    keyStart = isKey ? stringStart : -1;
    candidate = isKey ? null : findCandidate();
    if (candidate !== null) state = 'candidate';
  }

  /** Reads up to and including the closing quote of a string that stays in the skeleton. */
  function* scanString(chunk: Buffer, start: number): Generator<ScanEvent, number> {
    let at = start;
    while (at < chunk.length && state === 'string') {
      const byte = chunk[at++];
      if (escaped !== '') escaped = '';
      else if (byte === BACKSLASH) escaped = '\\';
      else if (byte === QUOTE) state = 'structure';
    }
    if (keyStart < 0 && skeleton.length - stringStart + at - start > MAX_STRING_BYTES) {
      isLeftOut = true;
      candidate = null;
      skeleton.truncate(stringStart + 1);
    }
    if (isLeftOut) leftOutBytes += at - start;
    else skeleton.append(chunk, start, at);
    if (leftOutBytes > MAX_LEFT_OUT_BYTES) throw tooLong(MAX_LEFT_OUT_BYTES);
    if (state !== 'structure') return at;
    if (isLeftOut) skeleton.append(chunk, at - 1, at);
    const level = levels[depth - 1];
    if (keyStart >= 0 && level !== undefined) level.key = parseString(skeleton.slice(keyStart));
    if (candidate !== null) {
      const { place, key, quoteAt } = candidate;
      const url = parseString(skeleton.slice(quoteAt));
      if (isLink(key, url)) yield { kind: 'link', url: url.trim(), ...place };
      candidate = null;
    }
    return at;
  }

  /** Reads a string until it is clear what it is. */
  function* scanCandidate(chunk: Buffer, from: number): Generator<ScanEvent, number> {
    let at = from;
    while (at < chunk.length && candidate !== null) {
      const byte = chunk[at] ?? 0;
      const isEnd = escaped === '' && byte === QUOTE;
      if (!isEnd) {
        at += 1;
        if (escaped !== '' || byte === BACKSLASH) {
          escaped += String.fromCharCode(byte);
          const taken = escaped.length > 1 ? takeEscape(escaped) : null;
          if (taken === null) continue;
          escaped = '';
          candidate.start += taken.toString('latin1');
        } else {
          candidate.start += String.fromCharCode(byte);
        }
        candidate.start = candidate.start.trimStart();
      }
      const isDecidable = isEnd || candidate.start.length >= MAX_START;
      const kind = kindOf(candidate.key, candidate.start, isDecidable);
      if (kind === null) continue;
      skeleton.append(chunk, from, at);
      if (kind === 'text') {
        state = 'string';
        return at;
      }
      const { place, quoteAt, start } = candidate;
      candidate = null;
      skeleton.truncate(quoteAt + 1);
      state = 'image';
      yield { kind: 'open', isDataUrl: kind === 'data-url', ...place };
      if (start !== '') yield { kind: 'text', bytes: Buffer.from(start, 'latin1') };
      return at;
    }
    skeleton.append(chunk, from, at);
    return at;
  }

  /** Hands out the text of an image up to its closing quote, which goes to the skeleton. */
  function* scanImage(chunk: Buffer, start: number): Generator<ScanEvent, number> {
    let at = start;
    let quoteAt = -1;
    while (at < chunk.length) {
      if (escaped !== '') {
        escaped += String.fromCharCode(chunk[at++] ?? 0);
        const taken = takeEscape(escaped);
        if (taken === null) continue;
        escaped = '';
        if (taken.length > 0) yield { kind: 'text', bytes: taken };
        continue;
      }
      if (quoteAt < at) quoteAt = indexOrLength(chunk, QUOTE, at, chunk.length);
      const end = indexOrLength(chunk, BACKSLASH, at, quoteAt);
      if (end > at) yield { kind: 'text', bytes: chunk.subarray(at, end) };
      at = end + 1;
      if (end < quoteAt) {
        escaped = '\\';
      } else if (quoteAt < chunk.length) {
        skeleton.append(chunk, quoteAt, at);
        state = 'structure';
        yield { kind: 'close' };
        return at;
      }
    }
    return chunk.length;
  }

  return {
    *scan(chunk) {
      let at = 0;
      while (at < chunk.length && !isWhole) {
        if (state === 'structure') at = scanStructure(chunk, at);
        else if (state === 'string') at = yield* scanString(chunk, at);
        else if (state === 'candidate') at = yield* scanCandidate(chunk, at);
        else at = yield* scanImage(chunk, at);
      }
    },
    get isWhole() {
      return isWhole;
    },
    end() {
      const scanned = parseSkeleton(skeleton.slice(0));
      // Alone, an unclosed image would look like an unclosed string: say which it was.
      const failure = brokenAnswer('The response ends inside an image.');
      return state === 'image' ? { ...scanned, failure } : scanned;
    },
  };
}

function indexOrLength(chunk: Buffer, byte: number, start: number, end: number): number {
  const found = (end === chunk.length ? chunk : chunk.subarray(0, end)).indexOf(byte, start);
  return found === -1 ? end : found;
}

/** `quoted` is a JSON string, quotes and all. One that is not valid fails at the end. */
function parseString(quoted: Buffer): string {
  try {
    return JSON.parse(quoted.toString());
  } catch {
    return '';
  }
}

function parseSkeleton(bytes: Buffer): ScannedJson {
  // Its message would quote the answer, and with it whatever a server may echo.
  const failure = brokenAnswer('The response is not a complete JSON document.');
  const text = new TextDecoder().decode(bytes);
  try {
    if (isUtf8(bytes)) return { document: JSON.parse(text), text, failure: null };
  } catch {
    // Its images may be whole, and its usage with them.
  }
  const document = parseLooseJson(text) ?? withoutCutUsage(parseCutJson(text));
  return { document, text, failure };
}

/** A part of the usage is not the usage. */
function withoutCutUsage(cut: ReturnType<typeof parseCutJson>): unknown {
  if (cut === null) return undefined;
  const { value, cutKeys } = cut;
  if (!cutKeys.includes('usage') || typeof value !== 'object' || value === null) return value;
  return { ...value, usage: undefined };
}
