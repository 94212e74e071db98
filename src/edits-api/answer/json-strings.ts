import { kindOf, MAX_START } from './image-place.ts';
import { BACKSLASH, QUOTE } from './json-bytes.ts';
import { takeEscape } from './json-escape.ts';

/** The start of a string that may be an image, a link, or neither. */
export interface StringStart {
  /** What was read, escapes resolved, without leading blanks. */
  readonly text: string;
  /**
   * Reads from `from` on, at most up to the closing quote. `kind` null: the chunk has ended before it
   * is clear what the string is.
   */
  read(
    chunk: Buffer,
    from: number,
  ): { readonly at: number; readonly kind: ReturnType<typeof kindOf> };
}

/** @param key The string's own key; null in a list. */
export function createStringStart(key: string | null): StringStart {
  let text = '';
  let escaped = '';
  return {
    get text() {
      return text;
    },
    read(chunk, from) {
      let at = from;
      while (at < chunk.length) {
        const byte = chunk[at] ?? 0;
        const isEnd = escaped === '' && byte === QUOTE;
        if (!isEnd) {
          at += 1;
          if (escaped !== '' || byte === BACKSLASH) {
            escaped += String.fromCharCode(byte);
            const taken = escaped.length > 1 ? takeEscape(escaped) : null;
            if (taken === null) continue;
            escaped = '';
            text += taken.toString('latin1');
          } else {
            text += String.fromCharCode(byte);
          }
          text = text.trimStart();
        }
        const kind = kindOf(key, text, isEnd || text.length >= MAX_START);
        if (kind !== null) return { at, kind };
      }
      return { at, kind: null };
    },
  };
}

/** The text of an image. */
export interface ImageText {
  /**
   * Yields the text from `start` on, escapes resolved, valid until the next step only. Returns the
   * place of the closing quote; the chunk's length: it has not come yet.
   */
  read(chunk: Buffer, start: number): Generator<Buffer, number>;
}

export function createImageText(): ImageText {
  let escaped = '';
  return {
    *read(chunk, start) {
      let at = start;
      let quoteAt = -1;
      while (at < chunk.length) {
        if (escaped !== '') {
          escaped += String.fromCharCode(chunk[at++] ?? 0);
          const taken = takeEscape(escaped);
          if (taken === null) continue;
          escaped = '';
          if (taken.length > 0) yield taken;
          continue;
        }
        if (quoteAt < at) quoteAt = indexOrLength(chunk, QUOTE, at, chunk.length);
        const end = indexOrLength(chunk, BACKSLASH, at, quoteAt);
        if (end > at) yield chunk.subarray(at, end);
        if (end === quoteAt) return quoteAt;
        escaped = '\\';
        at = end + 1;
      }
      return chunk.length;
    },
  };
}

function indexOrLength(chunk: Buffer, byte: number, start: number, end: number): number {
  const found = (end === chunk.length ? chunk : chunk.subarray(0, end)).indexOf(byte, start);
  return found === -1 ? end : found;
}
