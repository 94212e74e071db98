import { isUtf8 } from 'node:buffer';
import type { EditsApiError } from '../edits-api-error.ts';
import { brokenAnswer } from './answer-errors.ts';
import { createByteList } from './byte-list.ts';
import { groupOf, isLink, kindOf, MAX_START, mayBeImage } from './image-place.ts';
import { takeEscape } from './json-escape.ts';
import { parseCutJson } from './parse-cut-json.ts';
import { parseLooseJson } from './parse-loose-json.ts';

/** Position of an image: several forms of one image have the same element. */
export interface ImagePlace {
  /** Counted in document order. */
  readonly element: number;
  /** See `groupOf`. */
  readonly group: string;
}

/** `text` is valid until the next step. Its escapes are resolved. */
export type ScanEvent =
  | ({ readonly kind: 'open'; readonly isDataUrl: boolean } & ImagePlace)
  | { readonly kind: 'text'; readonly bytes: Buffer }
  | { readonly kind: 'close' }
  | ({ readonly kind: 'link'; readonly url: string } & ImagePlace);

export interface ScannedJson {
  /**
   * The document with "" in place of each image and of strings longer than 256 KiB. If it was cut,
   * its complete parts.
   */
  readonly document: unknown;
  /** The same as text. */
  readonly text: string;
  /** Why it is not a complete document; null if it is. */
  readonly failure: EditsApiError | null;
}

export interface JsonScanner {
  /**
   * Scans the next chunk. Skips everything after the document. @throws EditsApiError BROKEN_ANSWER
   */
  scan(chunk: Buffer): Generator<ScanEvent, void>;
  /** Whether the document's last bracket has arrived. */
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

/** Maximum depth of images. */
const MAX_DEPTH = 8;

/** Twice the longest prompt. Longer strings, such as an echoed input image, are skipped. */
const MAX_STRING_BYTES = 256 * 1024;

/** Limit of all such strings together: an input image of 25 MB in base64, with spare room. */
const MAX_LEFT_OUT_BYTES = 36 * 1024 * 1024;

interface Level {
  readonly isObject: boolean;
  readonly element: number;
  /** The last key read, in an object. */
  key: string;
}

/** A string that may be an image, a link, or neither. */
interface Candidate {
  readonly place: ImagePlace;
  readonly key: string | null;
  /** Position of its opening quote in the skeleton. */
  readonly quoteAt: number;
  /** Its beginning, with escapes resolved. */
  start: string;
}

/**
 * Finds images and links in a JSON document in chunks, and yields them as they arrive. Everything
 * else is collected (at most `maxSkeletonBytes`) and parsed by JSON.parse at the end. So this
 * scanner need only be correct for valid JSON: replacing an image by an empty string keeps a broken
 * document broken, and JSON.parse reports it.
 */
export function createJsonScanner({ maxSkeletonBytes }: { maxSkeletonBytes: number }): JsonScanner {
  const tooLong = (maxBytes: number) =>
    brokenAnswer(`The response has more than ${maxBytes} bytes besides its images.`);
  const skeleton = createByteList(maxSkeletonBytes, () => tooLong(maxSkeletonBytes));
  let state: 'structure' | 'string' | 'candidate' | 'image' = 'structure';
  let depth = 0;
  let isWhole = false;
  /** From the root down. Levels beyond MAX_DEPTH do not matter. */
  const levels: Level[] = [];
  let elements = 0;
  let afterColon = false;
  /** Where in the skeleton the current key starts; -1 in any other string. */
  let keyStart = -1;
  let candidate: Candidate | null = null;
  /** Where in the skeleton the current string starts. */
  let stringStart = 0;
  /** Whether the current string is too long and is skipped. */
  let isLeftOut = false;
  let leftOutBytes = 0;
  /** The escape of the current string so far, from its backslash on, or ''. */
  let escaped = '';

  /** Classifies the string that begins here; its opening quote is the skeleton's last byte. */
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

  /**
   * Reads up to and including the next opening quote or the end of the document. Returns the
   * position.
   */
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

  /** Reads up to and including the closing quote of a string that belongs to the skeleton. */
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

  /** Reads a string until its kind is known. */
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

  /** Yields the text of an image up to its closing quote, which belongs to the skeleton. */
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
      // Otherwise, an unclosed image would be reported as an unclosed string.
      const failure = brokenAnswer('The response ends inside an image.');
      return state === 'image' ? { ...scanned, failure } : scanned;
    },
  };
}

function indexOrLength(chunk: Buffer, byte: number, start: number, end: number): number {
  const found = (end === chunk.length ? chunk : chunk.subarray(0, end)).indexOf(byte, start);
  return found === -1 ? end : found;
}

/** `quoted` is a JSON string with its quotes. An invalid one fails at the end. */
function parseString(quoted: Buffer): string {
  try {
    return JSON.parse(quoted.toString());
  } catch {
    return '';
  }
}

function parseSkeleton(bytes: Buffer): ScannedJson {
  // The message of JSON.parse would quote the response, which may echo secrets.
  const failure = brokenAnswer('The response is not a complete JSON document.');
  const text = new TextDecoder().decode(bytes);
  try {
    if (isUtf8(bytes)) return { document: JSON.parse(text), text, failure: null };
  } catch {
    // Its images, and its usage with them, may be complete.
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
