/** Bytes that are encoded at a time: a multiple of 3, so that only the last piece has padding. */
const BLOCK_BYTES = 48 * 1024;

/** Length of the base64 text of so many bytes. */
export function base64Length(bytes: number): number {
  return Math.ceil(bytes / 3) * 4;
}

/** Encodes chunks as one base64 text (RFC 4648, section 4), in pieces. */
export async function* base64Text(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  // Its content is copied into each piece, so it can be filled again.
  const block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  let length = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      const taken = Math.min(BLOCK_BYTES - length, chunk.length - at);
      block.set(chunk.subarray(at, at + taken), length);
      length += taken;
      at += taken;
      if (length < BLOCK_BYTES) continue;
      yield Buffer.from(block.toString('base64'), 'latin1');
      length = 0;
    }
  }
  if (length > 0) yield Buffer.from(block.toString('base64', 0, length), 'latin1');
}
