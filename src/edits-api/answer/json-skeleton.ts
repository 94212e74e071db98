import { isUtf8 } from 'node:buffer';
import type { EditsApiError } from '../edits-api-error.ts';
import { brokenAnswer } from './answer-errors.ts';
import { createByteList } from './byte-list.ts';
import { parseCutJson } from './parse-cut-json.ts';
import { parseLooseJson } from './parse-loose-json.ts';

/** Twice the longest prompt. Longer strings, such as an echoed input image, are skipped. */
const MAX_STRING_BYTES = 256 * 1024;

/** Limit of all such strings together: an input image of 25 MB in base64, with spare room. */
const MAX_LEFT_OUT_BYTES = 36 * 1024 * 1024;

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

/** A JSON document without its images and longest strings: "" stands in place of each. */
export interface JsonSkeleton {
  append(chunk: Buffer, start: number, end: number): void;
  /** A string begins; its opening quote was appended last. */
  beginString(): void;
  /**
   * Appends a part of the string, unless it is too long: then it is left out.
   * @throws EditsApiError BROKEN_ANSWER when too much was left out.
   */
  appendString(chunk: Buffer, start: number, end: number, options: { isKey: boolean }): void;
  /** The string ends; `end` is behind its closing quote. */
  endString(chunk: Buffer, end: number): void;
  /** The text of the string that ended last; '' if it was left out or is not valid. */
  stringText(): string;
  /** Removes what was appended of the string, except its opening quote. */
  emptyString(): void;
  parse(): ScannedJson;
}

export function createJsonSkeleton({ maxBytes }: { maxBytes: number }): JsonSkeleton {
  const bytes = createByteList(maxBytes, () => tooLong(maxBytes));
  /** Of the string being read, the place of its opening quote. */
  let stringStart = 0;
  let isLeftOut = false;
  let leftOutBytes = 0;
  const emptyString = () => bytes.truncate(stringStart + 1);

  return {
    append: bytes.append,
    beginString() {
      stringStart = bytes.length - 1;
      isLeftOut = false;
    },
    appendString(chunk, start, end, { isKey }) {
      if (!isKey && bytes.length - stringStart + end - start > MAX_STRING_BYTES) {
        isLeftOut = true;
        emptyString();
      }
      if (isLeftOut) leftOutBytes += end - start;
      else bytes.append(chunk, start, end);
      if (leftOutBytes > MAX_LEFT_OUT_BYTES) throw tooLong(MAX_LEFT_OUT_BYTES);
    },
    endString(chunk, end) {
      if (isLeftOut) bytes.append(chunk, end - 1, end);
    },
    stringText: () => parseString(bytes.slice(stringStart)),
    emptyString,
    parse: () => parseSkeleton(bytes.slice(0)),
  };
}

function tooLong(maxBytes: number): EditsApiError {
  return brokenAnswer(`The response has more than ${maxBytes} bytes besides its images.`);
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
