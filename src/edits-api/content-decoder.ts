import type { Readable, Transform } from 'node:stream';
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
} from 'node:zlib';
import { brokenAnswer } from './answer-errors.ts';

/** Bytes that tell gzip and zstd. */
const MAGIC_BYTES = 4;
const ZSTD = Buffer.from('28b52ffd', 'hex');

/**
 * A body with its content coding undone. We ask for none, but not every proxy listens; some drop the
 * header and others leave it on what they have decoded, so gzip and zstd are told by their first bytes.
 * A coding that is not known leaves the bytes as they are. What was cut is decoded as far as it came.
 * @throws EditsApiError BROKEN_ANSWER behind the last byte of what is cut or broken
 */
export async function* decodeContent(
  body: Readable,
  contentEncoding: string,
): AsyncGenerator<Buffer, void> {
  const chunks: AsyncIterator<Buffer> = body[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  try {
    for (let next = await chunks.next(); ; next = await chunks.next()) {
      if (next.done === true) break;
      head = Buffer.concat([head, next.value]);
      if (head.length >= MAGIC_BYTES) break;
    }
    const decoder = decoderOf(contentEncoding.trim().toLowerCase(), head);
    const rest = prepended(head, chunks);
    yield* decoder === null ? rest : through(rest, decoder);
  } finally {
    // Not by the iterator: somebody may be waiting for its next chunk, of a body that is left open.
    body.destroy();
  }
}

async function* prepended(
  head: Buffer,
  chunks: AsyncIterator<Buffer>,
): AsyncGenerator<Buffer, void> {
  if (head.length > 0) yield head;
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
    yield next.value;
  }
}

function decoderOf(coding: string, head: Buffer): Transform | null {
  // What was cut is flushed, not refused.
  const zlib = { finishFlush: constants.Z_SYNC_FLUSH };
  if (head[0] === 0x1f && head[1] === 0x8b) return createGunzip(zlib);
  if (head.subarray(0, ZSTD.length).equals(ZSTD)) {
    return createZstdDecompress({ finishFlush: constants.ZSTD_e_flush });
  }
  if (coding === 'deflate' && (head[0] ?? 0) % 16 === 8) return createInflate(zlib);
  if (coding === 'br') {
    return createBrotliDecompress({ finishFlush: constants.BROTLI_OPERATION_FLUSH });
  }
  return null;
}

/** What the decoder makes of the chunks, to their end or to where they break off. */
async function* through(
  chunks: AsyncGenerator<Buffer, void>,
  decoder: Transform,
): AsyncGenerator<Buffer, void> {
  let cut: { error: unknown } | null = null;
  const write = (chunk: Buffer) =>
    new Promise<void>((resolve) => decoder.write(chunk, () => resolve()));
  const feed = async () => {
    try {
      for await (const chunk of chunks) {
        if (decoder.destroyed) return;
        await write(chunk);
      }
    } catch (error) {
      cut = { error };
    }
    if (!decoder.destroyed) decoder.end();
  };
  const fed = feed();
  try {
    yield* decoder;
  } catch (error) {
    throw brokenAnswer('The content coding of the answer is broken.', error);
  } finally {
    decoder.destroy();
  }
  await fed;
  if (cut !== null) throw (cut as { error: unknown }).error;
}
