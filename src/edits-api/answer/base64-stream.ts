import { brokenAnswer } from './answer-errors.ts';

/** Decodes base64 in chunks. Yielded bytes are valid until the next step. */
export interface Base64Stream {
  decode(text: Buffer): Generator<Buffer, void>;
  /** Ends the text; the stream can then decode another one. */
  end(): Generator<Buffer, void>;
}

const PAD = 0x3d;
/** Space, tab, line feed, carriage return. */
const BLANKS = [0x20, 0x09, 0x0a, 0x0d];

/**
 * Accepts the standard or the URL-safe alphabet (RFC 4648 sections 4 and 5), but not both in one
 * image, with optional padding and white space. Node's decoder skips invalid characters, but an
 * image with holes must not pass: each block is decoded in one native call, and a wrong length
 * reveals skipped characters.
 *
 * Decodes `blockBytes` of text at a time: enough to be fast, but not so much that it blocks the
 * event loop. Two buffers are reused, so a stream creates hardly any garbage.
 *
 * @throws EditsApiError BROKEN_ANSWER
 */
export function createBase64Stream({ blockBytes = 32 * 1024 } = {}): Base64Stream {
  const text = Buffer.allocUnsafeSlow(blockBytes);
  const decoded = Buffer.allocUnsafeSlow((blockBytes / 4) * 3);
  let length = 0;
  let isStandard = false;
  let isForUrls = false;

  function decodeBlock(expected: number): Buffer {
    const block = text.toString('latin1', 0, length);
    length = 0;
    const bytes = decoded.write(block, 0, 'base64');
    isStandard ||= block.includes('+') || block.includes('/');
    isForUrls ||= block.includes('-') || block.includes('_');
    if (bytes !== expected || (isStandard && isForUrls)) {
      throw brokenAnswer('An image in the response is not valid base64.');
    }
    return decoded.subarray(0, bytes);
  }

  return {
    *decode(piece) {
      const letters = BLANKS.some((blank) => piece.includes(blank)) ? withoutBlanks(piece) : piece;
      let at = 0;
      while (at < letters.length) {
        // A full block waits for more text, because the last block may be padded.
        if (length === blockBytes) yield decodeBlock((length / 4) * 3);
        const copied = letters.copy(text, length, at);
        length += copied;
        at += copied;
      }
    },
    *end() {
      let padding = 0;
      while (length > 0 && padding < 2 && text[length - 1] === PAD) {
        length -= 1;
        padding += 1;
      }
      const rest = length % 4;
      const isWhole = rest !== 1 && (padding === 0 || rest + padding === 4);
      if (isWhole && length > 0) yield decodeBlock(Math.floor((length * 3) / 4));
      length = 0;
      isStandard = false;
      isForUrls = false;
      if (!isWhole) throw brokenAnswer('An image in the response is incomplete base64.');
    },
  };
}

function withoutBlanks(piece: Buffer): Buffer {
  return Buffer.from(piece.filter((byte) => !BLANKS.includes(byte)));
}
