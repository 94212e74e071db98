import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../../../edits/input/json-object.ts';
import { createByteList } from '../../../edits-api/answer/byte-list.ts';
import {
  BACKSLASH,
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
} from '../../../edits-api/answer/json-bytes.ts';
import { createImageText } from '../../../edits-api/answer/json-strings.ts';
import { type InvalidInputError, UnreadableBodyError } from '../../../errors.ts';
import { createFileBody, type FileBody } from './file-body.ts';
import { invalidValue } from './given-values.ts';
import { MAX_TEXT_BYTES, tooMuchText } from './image-source.ts';
import { createJsonPath } from './json-path.ts';
import { endedEarly, type RequestBody } from './request-body.ts';

/** A `data:` URL in a JSON document. */
export interface JsonDataUrl {
  /** Its path. */
  readonly field: string;
  /** Stands in its place in the document. */
  readonly placeholder: string;
  /** Its text behind `data:`, escapes resolved. */
  readonly body: FileBody;
}

export interface JsonReader {
  /** The next `data:` URL; null at the end. Skips what is left of the one before. */
  next(): Promise<JsonDataUrl | null>;
  /** The whole document; call it at the end. @throws UnreadableBodyError unless it is a JSON object. */
  document(): JsonObject;
}

const DATA = 'data:';

/**
 * Reads a JSON body at the pace of its reader, and hands out the images in it as they arrive: the
 * `data:` URLs below `imageKeys`. The rest is kept, at most 1 MiB, and parsed at the end by
 * JSON.parse, which decides whether it is valid.
 *
 * `next` throws InvalidInputError if the rest is too long, UnreadableBodyError if the body ends early
 * or is nested too deep.
 */
export function createJsonReader(
  body: Pick<RequestBody, 'next'>,
  { imageKeys }: { imageKeys: ReadonlySet<string> },
): JsonReader {
  const path = createJsonPath();
  const isInImages = () => imageKeys.has(path.rootKey ?? '');
  const kept = createByteList(MAX_TEXT_BYTES, () =>
    isInImages() ? notDataUrl(path.toString()) : tooMuchText(path.toString()),
  );
  const imageText = createImageText();
  // Random, so that no string of a client equals a placeholder.
  const nonce = randomUUID();
  let state: 'structure' | 'start' | 'string' | 'image' = 'structure';
  let chunk: Buffer = Buffer.alloc(0);
  let at = 0;
  let isKey = false;
  let isEscaped = false;
  /** Of the string being read, the place of its opening quote in `kept`. */
  let stringAt = 0;
  /** How much of `data:` was read. */
  let matched = 0;
  let images = 0;
  let image: FileBody = { stream: async function* () {}, skip: async () => {} };

  /** Up to and including the next opening quote. */
  function readStructure(): void {
    const from = at;
    while (at < chunk.length && state === 'structure') {
      const byte = chunk[at++];
      if (byte === QUOTE) state = 'start';
      else if (byte === COLON) path.colon();
      else if (byte === COMMA) path.comma();
      else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) path.open(byte === OPEN_OBJECT);
      else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) path.close();
    }
    kept.append(chunk, from, at);
    if (state === 'structure') return;
    stringAt = kept.length - 1;
    isKey = path.isKey;
    matched = 0;
    if (isKey || !isInImages()) state = 'string';
  }

  /** Until it is clear whether the string is a `data:` URL. */
  function readStart(): void {
    while (at < chunk.length && state === 'start') {
      const letter = String.fromCharCode(chunk[at] ?? 0).toLowerCase();
      if (letter !== DATA[matched]) {
        state = 'string';
      } else {
        kept.append(chunk, at, at + 1);
        at += 1;
        matched += 1;
        if (matched === DATA.length) state = 'image';
      }
    }
  }

  /** Up to and including the closing quote. */
  function readString(): void {
    const from = at;
    while (at < chunk.length && state === 'string') {
      const byte = chunk[at++];
      if (isEscaped) isEscaped = false;
      else if (byte === BACKSLASH) isEscaped = true;
      else if (byte === QUOTE) state = 'structure';
    }
    kept.append(chunk, from, at);
    if (isKey && state === 'structure') path.setKey(parsedString(kept.slice(stringAt)));
  }

  async function readMore(): Promise<boolean> {
    const next = await body.next();
    if (next === null) return false;
    chunk = next;
    at = 0;
    return true;
  }

  /** The text of an image in this chunk, or in the next; null after its closing quote. */
  async function readImage(): Promise<Buffer | null> {
    if (at === chunk.length && !(await readMore())) throw endedEarly();
    const pieces: Buffer[] = [];
    const reading = imageText.read(chunk, at);
    let step = reading.next();
    for (; !step.done; step = reading.next()) pieces.push(step.value);
    at = step.value;
    if (at === chunk.length) return joined(pieces);
    if (pieces.length > 0) return joined(pieces);
    kept.append(chunk, at, at + 1);
    at += 1;
    state = 'structure';
    return null;
  }

  function beginImage(): JsonDataUrl {
    kept.truncate(stringAt + 1);
    const placeholder = `${nonce}:${images++}`;
    kept.append(Buffer.from(placeholder), 0, placeholder.length);
    image = createFileBody(readImage);
    return { field: path.toString(), placeholder, body: image };
  }

  return {
    async next() {
      await image.skip();
      while (at < chunk.length || (await readMore())) {
        if (state === 'structure') readStructure();
        else if (state === 'start') readStart();
        else readString();
        if (state === 'image') return beginImage();
      }
      return null;
    },
    document: () => parseDocument(kept.slice(0)),
  };
}

/** Such as base64 without its head. */
function notDataUrl(field: string): InvalidInputError {
  return invalidValue(
    field,
    `${field} is too long for a link. Send an image as a data: URL: data:image/png;base64,… .`,
  );
}

function joined(pieces: readonly Buffer[]): Buffer {
  const [first] = pieces;
  return pieces.length === 1 && first !== undefined ? first : Buffer.concat(pieces);
}

/** `quoted` has its quotes. An invalid one is reported at the end. */
function parsedString(quoted: Buffer): string {
  try {
    return JSON.parse(quoted.toString());
  } catch {
    return '';
  }
}

function parseDocument(bytes: Buffer): JsonObject {
  let document: unknown;
  try {
    if (!isUtf8(bytes)) throw new SyntaxError('not UTF-8');
    document = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new UnreadableBodyError('The request body is not valid JSON.');
  }
  if (isObject(document)) return document;
  throw new UnreadableBodyError('The request body must be a JSON object.');
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
