import { brokenAnswer } from './answer-errors.ts';
import { isLink } from './image-place.ts';
import {
  BACKSLASH,
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
} from './json-bytes.ts';
import { createJsonPosition, type ImagePlace } from './json-position.ts';
import { createJsonSkeleton, type ScannedJson } from './json-skeleton.ts';
import { createImageText, createStringStart, type StringStart } from './json-strings.ts';

/** `text` is valid until the next step. Its escapes are resolved. */
export type ScanEvent =
  | ({ readonly kind: 'open'; readonly isDataUrl: boolean } & ImagePlace)
  | { readonly kind: 'text'; readonly bytes: Buffer }
  | { readonly kind: 'close' }
  | ({ readonly kind: 'link'; readonly url: string } & ImagePlace);

export interface JsonScanner {
  /**
   * Scans the next chunk. Skips everything after the document. @throws EditsApiError BROKEN_ANSWER
   */
  scan(chunk: Buffer): Generator<ScanEvent, void>;
  /** Whether the document's last bracket has arrived. */
  readonly isWhole: boolean;
  end(): ScannedJson;
}

/** A string that may be an image, a link, or neither. */
interface Candidate {
  readonly place: ImagePlace;
  readonly key: string | null;
  readonly start: StringStart;
}

/**
 * Finds images and links in a JSON document in chunks, and yields them as they arrive. Everything
 * else is collected (at most `maxSkeletonBytes`) and parsed by JSON.parse at the end. So this
 * scanner need only be correct for valid JSON: replacing an image by an empty string keeps a broken
 * document broken, and JSON.parse reports it.
 */
export function createJsonScanner({ maxSkeletonBytes }: { maxSkeletonBytes: number }): JsonScanner {
  const skeleton = createJsonSkeleton({ maxBytes: maxSkeletonBytes });
  let state: 'structure' | 'string' | 'candidate' | 'image' = 'structure';
  let isWhole = false;
  const position = createJsonPosition();
  const imageText = createImageText();
  let isKey = false;
  let candidate: Candidate | null = null;
  /** In a string that stays in the skeleton: whether the last byte was a backslash. */
  let isEscaped = false;

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
        position.colon();
      } else if (byte === COMMA) {
        position.comma();
      } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        position.open(byte === OPEN_OBJECT);
      } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
        position.close();
        isWhole = position.isRoot;
      }
    }
    skeleton.append(chunk, start, at);
    if (state === 'string') beginString();
    return isWhole ? chunk.length : at;
  }

  function beginString(): void {
    skeleton.beginString();
    isKey = position.isKey;
    const found = isKey ? null : position.imagePlace();
    candidate = found && { ...found, start: createStringStart(found.key) };
    if (candidate !== null) state = 'candidate';
  }

  /** Reads up to and including the closing quote of a string that belongs to the skeleton. */
  function* scanString(chunk: Buffer, start: number): Generator<ScanEvent, number> {
    let at = start;
    while (at < chunk.length && state === 'string') {
      const byte = chunk[at++];
      if (isEscaped) isEscaped = false;
      else if (byte === BACKSLASH) isEscaped = true;
      else if (byte === QUOTE) state = 'structure';
    }
    skeleton.appendString(chunk, start, at, { isKey });
    if (state !== 'structure') return at;
    skeleton.endString(chunk, at);
    if (isKey) position.setKey(skeleton.stringText());
    if (candidate !== null) {
      const text = skeleton.stringText();
      if (isLink(candidate.key, text)) yield { kind: 'link', url: text.trim(), ...candidate.place };
    }
    candidate = null;
    return at;
  }

  /** Reads a string until its kind is known. */
  function* scanCandidate(
    { place, start }: Candidate,
    chunk: Buffer,
    from: number,
  ): Generator<ScanEvent, number> {
    const { at, kind } = start.read(chunk, from);
    skeleton.append(chunk, from, at);
    if (kind === 'text') state = 'string';
    if (kind === 'text' || kind === null) return at;
    candidate = null;
    skeleton.emptyString();
    state = 'image';
    yield { kind: 'open', isDataUrl: kind === 'data-url', ...place };
    if (start.text !== '') yield { kind: 'text', bytes: Buffer.from(start.text, 'latin1') };
    return at;
  }

  /** Yields the text of an image up to its closing quote, which goes to the skeleton. */
  function* scanImage(chunk: Buffer, from: number): Generator<ScanEvent, number> {
    const pieces = imageText.read(chunk, from);
    let piece = pieces.next();
    for (; !piece.done; piece = pieces.next()) yield { kind: 'text', bytes: piece.value };
    const quoteAt = piece.value;
    if (quoteAt === chunk.length) return quoteAt;
    skeleton.append(chunk, quoteAt, quoteAt + 1);
    state = 'structure';
    yield { kind: 'close' };
    return quoteAt + 1;
  }

  return {
    *scan(chunk) {
      let at = 0;
      while (at < chunk.length && !isWhole) {
        if (state === 'structure') at = scanStructure(chunk, at);
        else if (state === 'string') at = yield* scanString(chunk, at);
        else if (candidate !== null && state === 'candidate')
          at = yield* scanCandidate(candidate, chunk, at);
        else at = yield* scanImage(chunk, at);
      }
    },
    get isWhole() {
      return isWhole;
    },
    end() {
      const scanned = skeleton.parse();
      // Otherwise, an unclosed image would be reported as an unclosed string.
      const failure = brokenAnswer('The response ends inside an image.');
      return state === 'image' ? { ...scanned, failure } : scanned;
    },
  };
}
