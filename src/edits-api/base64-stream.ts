import { brokenAnswer } from './answer-errors.ts';

/** Decodes base64 that arrives in pieces. Yielded bytes are valid until the next step only. */
export interface Base64Stream {
  decode(text: Buffer): Generator<Buffer, void>;
  /** The text has ended; the stream is ready for the next one. */
  end(): Generator<Buffer, void>;
}

const PAD = 0x3d;

/**
 * The standard alphabet with padding (RFC 4648 section 4), nothing else: Node's decoder skips what
 * it does not know, and a picture with holes must not pass. Every block is decoded in one native
 * call, and anything skipped shows in the length. The two letters of the URL alphabet, which Node
 * takes as well, are searched for.
 *
 * Decodes `blockBytes` of text at a time: big enough to be fast, small enough not to hold the event
 * loop up; the two buffers are used again and again, so a stream makes no garbage to speak of.
 *
 * @throws EditsApiError BROKEN_ANSWER
 */
export function createBase64Stream({ blockBytes = 32 * 1024 } = {}): Base64Stream {
  const text = Buffer.allocUnsafeSlow(blockBytes);
  const decoded = Buffer.allocUnsafeSlow((blockBytes / 4) * 3);
  let length = 0;

  function decodeBlock(padding: number): Buffer {
    const expected = (length / 4) * 3 - padding;
    const block = text.toString('latin1', 0, length);
    length = 0;
    const bytes = decoded.write(block, 0, 'base64');
    if (bytes !== expected || block.includes('-') || block.includes('_')) {
      throw brokenAnswer('A picture in the answer is not base64.');
    }
    return decoded.subarray(0, bytes);
  }

  return {
    *decode(piece) {
      let at = 0;
      while (at < piece.length) {
        // A full block waits for more text: if it is the last one it may be padded.
        if (length === blockBytes) yield decodeBlock(0);
        const copied = piece.copy(text, length, at);
        length += copied;
        at += copied;
      }
    },
    *end() {
      if (length === 0) return;
      if (length % 4 !== 0) {
        length = 0;
        throw brokenAnswer('A picture in the answer is not whole base64.');
      }
      const padding = text[length - 1] !== PAD ? 0 : text[length - 2] !== PAD ? 1 : 2;
      yield decodeBlock(padding);
    },
  };
}
