import type { Readable, Transform } from 'node:stream';
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from 'node:zlib';
import { brokenAnswer } from './answer-errors.ts';

/** First bytes of gzip and zstd. */
const MAGIC_BYTES = 4;
const ZSTD = Buffer.from('28b52ffd', 'hex');
/** PNG and JPEG; WebP begins like text. */
const PLAIN_MAGIC = [Buffer.from('89504e47', 'hex'), Buffer.from('ffd8ff', 'hex')];

/** Maximum number of encodings; more are an attack. */
const MAX_LAYERS = 3;

/** First bytes of a body that is not encoded: text, or an image. */
const TEXT = /^(\u00ef\u00bb\u00bf|[\t\n\r\x20-\x7e]+$)/;

/**
 * Decodes the content encodings of a body. We request none, but some proxies encode anyway; some
 * drop the header, and others leave it on a decoded body. So gzip and zstd are detected by their
 * first bytes, and text and images are never decoded. Bodies in an unknown encoding are returned
 * unchanged. An incomplete body is decoded as far as it arrived.
 * @param contentEncoding Several are decoded from the last to the first.
 * @throws EditsApiError BROKEN_ANSWER after the last byte of an incomplete or invalid body
 */
export async function* decodeContent(
  body: Readable,
  contentEncoding: string,
): AsyncGenerator<Buffer, void> {
  const codings = contentEncoding
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim().replace(/^x-/, ''));
  try {
    yield* decodeLayers(body[Symbol.asyncIterator](), codings.toReversed(), MAX_LAYERS);
  } finally {
    // Not by the iterator, which may be waiting for the next chunk of a body that stays open.
    body.destroy();
  }
}

async function* decodeLayers(
  chunks: AsyncIterator<Buffer>,
  codings: readonly string[],
  layers: number,
): AsyncGenerator<Buffer, void> {
  let head = Buffer.alloc(0);
  for (let next = await chunks.next(); ; next = await chunks.next()) {
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
    if (head.length >= MAGIC_BYTES) break;
  }
  const [announced = '', ...others] = codings;
  const rest = prepended(head, chunks);
  const found = layers > 0 ? decoderOf(announced, head) : null;
  if (found === null) return yield* rest;
  const inner = found.coding === announced ? others : codings;
  yield* decodeLayers(through(rest, found.decoder), inner, layers - 1);
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

function decoderOf(announced: string, head: Buffer): { coding: string; decoder: Transform } | null {
  // Incomplete data is flushed, not rejected.
  const zlib = { finishFlush: constants.Z_SYNC_FLUSH };
  if (head[0] === 0x1f && head[1] === 0x8b) return { coding: 'gzip', decoder: createGunzip(zlib) };
  if (head.subarray(0, ZSTD.length).equals(ZSTD)) {
    const decoder = createZstdDecompress({ finishFlush: constants.ZSTD_e_flush });
    return { coding: 'zstd', decoder };
  }
  if (isPlain(head)) return null;
  if (announced === 'deflate') {
    // Some servers omit the zlib header (RFC 9110, 8.4.1.2).
    const isBare = (head[0] ?? 0) % 16 !== 8 || head.readUInt16BE() % 31 !== 0;
    return { coding: announced, decoder: isBare ? createInflateRaw(zlib) : createInflate(zlib) };
  }
  if (announced === 'br') {
    const decoder = createBrotliDecompress({ finishFlush: constants.BROTLI_OPERATION_FLUSH });
    return { coding: announced, decoder };
  }
  return null;
}

function isPlain(head: Buffer): boolean {
  const isImage = PLAIN_MAGIC.some((magic) => head.subarray(0, magic.length).equals(magic));
  return head.length < 2 || isImage || TEXT.test(head.toString('latin1', 0, MAGIC_BYTES));
}

/** The decoded chunks, up to the end or to where they break off. */
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
    throw brokenAnswer('The content encoding of the response is invalid.', error);
  } finally {
    decoder.destroy();
  }
  await fed;
  if (cut !== null) throw (cut as { error: unknown }).error;
}
