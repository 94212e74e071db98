import { brokenAnswer } from './answer-errors.ts';
import { createByteList } from './byte-list.ts';
import { takeEscape } from './json-escape.ts';

/** `text` is valid until the next step of the scan only. Escapes in it are resolved. */
export type ScanEvent =
  | { readonly kind: 'open'; readonly index: number }
  | { readonly kind: 'text'; readonly bytes: Buffer }
  | { readonly kind: 'close' };

export interface JsonScanner {
  /** The next bytes, cut anywhere. @throws EditsApiError BROKEN_ANSWER */
  scan(chunk: Buffer): Generator<ScanEvent, void>;
  /**
   * The document without its pictures: each `b64_json` string is "" in it.
   * @throws EditsApiError BROKEN_ANSWER when what came is not one whole JSON document
   */
  end(): unknown;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Where a document has its pictures: at `data[i].b64_json`, or one at `b64_json`. */
export type PicturePlace = 'data' | 'root';

/**
 * Finds the pictures in a JSON document that arrives in pieces, and hands them
 * out as they come. Everything else is kept (at most `maxSkeletonBytes`) and parsed by JSON.parse at
 * the end. So this scanner need only be right about valid JSON: an empty string in place of a picture
 * leaves a broken document broken, and JSON.parse says so.
 */
export function createJsonScanner({
  place,
  maxSkeletonBytes,
}: {
  place: PicturePlace;
  maxSkeletonBytes: number;
}): JsonScanner {
  const skeleton = createByteList(maxSkeletonBytes, () =>
    brokenAnswer(`The answer has more than ${maxSkeletonBytes} bytes besides its pictures.`),
  );
  let state: 'structure' | 'string' | 'picture' = 'structure';
  let depth = 0;
  /** What was opened at depths 1 to 3; deeper ones never matter. */
  const opened = [0, 0, 0, 0];
  /** The last keys of the root and of the element of `data`. */
  const keys = ['', '', '', ''];
  let afterColon = false;
  let index = 0;
  /** Where in the skeleton the key being read starts; -1 for any other string. */
  let keyStart = -1;
  let pictureIsNew = false;
  /** Of the string being read: the escape so far, from its backslash on, or ''. */
  let escaped = '';

  const isKeyNext = () => depth <= 3 && opened[depth] === OPEN_OBJECT && !afterColon;
  const isRootPictureNext = () =>
    depth === 1 && afterColon && keys[1] === 'b64_json' && opened[1] === OPEN_OBJECT;
  const isDataPictureNext = () =>
    depth === 3 &&
    afterColon &&
    keys[3] === 'b64_json' &&
    keys[1] === 'data' &&
    opened[1] === OPEN_OBJECT &&
    opened[2] === OPEN_ARRAY &&
    opened[3] === OPEN_OBJECT;
  const isPictureNext = place === 'root' ? isRootPictureNext : isDataPictureNext;

  /** Reads up to and including the next opening quote. Answers where it stopped. */
  function scanStructure(chunk: Buffer, start: number): number {
    let at = start;
    while (at < chunk.length && state === 'structure') {
      const byte = chunk[at++];
      if (byte === QUOTE) {
        pictureIsNew = isPictureNext();
        state = pictureIsNew ? 'picture' : 'string';
      } else if (byte === COLON) {
        afterColon = true;
      } else if (byte === COMMA) {
        afterColon = false;
        if (depth === 2) index += 1;
      } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        depth += 1;
        afterColon = false;
        if (depth === 2) index = 0;
        if (depth <= 3) opened[depth] = byte;
      } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
        depth -= 1;
      }
    }
    skeleton.append(chunk, start, at);
    if (state === 'string') keyStart = isKeyNext() ? skeleton.length - 1 : -1;
    return at;
  }

  /** Reads up to and including the closing quote of a string that stays in the skeleton. */
  function scanString(chunk: Buffer, start: number): number {
    let at = start;
    while (at < chunk.length && state === 'string') {
      const byte = chunk[at++];
      if (escaped !== '') escaped = '';
      else if (byte === BACKSLASH) escaped = '\\';
      else if (byte === QUOTE) state = 'structure';
    }
    skeleton.append(chunk, start, at);
    if (state === 'structure' && keyStart >= 0) keys[depth] = parseKey(skeleton.slice(keyStart));
    return at;
  }

  /** Hands out the text of a picture up to its closing quote, which goes to the skeleton. */
  function* scanPicture(chunk: Buffer, start: number): Generator<ScanEvent, number> {
    if (pictureIsNew) yield { kind: 'open', index };
    pictureIsNew = false;
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
      while (at < chunk.length) {
        if (state === 'structure') at = scanStructure(chunk, at);
        else if (state === 'string') at = scanString(chunk, at);
        else at = yield* scanPicture(chunk, at);
      }
    },
    end() {
      // Alone, an unclosed picture would look like an unclosed string: say which it was.
      if (state === 'picture') throw brokenAnswer('The answer ends inside a picture.');
      return parseSkeleton(skeleton.slice(0));
    },
  };
}

function indexOrLength(chunk: Buffer, byte: number, start: number, end: number): number {
  const found = (end === chunk.length ? chunk : chunk.subarray(0, end)).indexOf(byte, start);
  return found === -1 ? end : found;
}

/** `quoted` is a JSON string, quotes and all. One that is not valid fails at the end. */
function parseKey(quoted: Buffer): string {
  if (!quoted.includes(BACKSLASH)) return quoted.toString('latin1', 1, quoted.length - 1);
  try {
    return JSON.parse(quoted.toString());
  } catch {
    return '';
  }
}

function parseSkeleton(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    // Its message would quote the answer, and with it whatever a server may echo.
    throw brokenAnswer('The answer is not a whole JSON document.');
  }
}
