import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { syncDirectory } from '../durable-files.ts';
import type { AnswerDecoder, DecodedAnswer } from './answer-decoder.ts';
import { brokenAnswer } from './answer-errors.ts';

/** The file that keeps an answer as it came. */
export interface RawAnswer {
  /** Resolves when the bytes are with the kernel. When it rejects, the same bytes may be tried again. */
  write(chunk: Buffer): Promise<void>;
  /** Resolves when what was written outlasts a power cut, and the file's name with it. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** Creates or empties the file; only this user may read it. */
export async function openRawAnswer(path: string): Promise<RawAnswer> {
  const file: FileHandle = await open(path, 'w', 0o600);
  let bytes = 0;
  return {
    async write(chunk) {
      let written = 0;
      while (written < chunk.length) {
        const { length } = chunk;
        const step = await file.write(chunk, written, length - written, bytes + written);
        written += step.bytesWritten;
      }
      bytes += written;
    },
    async sync() {
      if (bytes > 0) await Promise.all([file.datasync(), syncDirectory(dirname(path))]);
    },
    close: () => file.close(),
  };
}

/**
 * Keeps an answer and decodes it, chunk by chunk and in step. When it cannot be decoded, the rest is
 * still kept before the error is thrown: it was paid for, and somebody may want to look.
 * @throws EditsApiError BROKEN_ANSWER for an answer that is cut, too long or not what it should be;
 * whatever the disk threw. The decoder is left to the caller to discard.
 */
export async function receiveAnswer(options: {
  body: Readable;
  raw: RawAnswer;
  decoder: AnswerDecoder;
  maxBytes: number;
}): Promise<DecodedAnswer> {
  const { raw, decoder, maxBytes } = options;
  let broken = false;
  let reason: unknown;
  let bytes = 0;
  // On a full disk what was decoded gives its room to the raw bytes, from which it can be read again.
  const giveUpDecoding = async (why: unknown) => {
    broken = true;
    reason ??= why;
    await decoder.discard();
  };
  for await (const chunk of chunksOf(options.body)) {
    const kept = chunk.subarray(0, maxBytes - bytes);
    bytes += chunk.length;
    const work = [raw.write(kept)];
    if (!broken && bytes <= maxBytes) work.push(decoder.write(chunk));
    const [keeping, decoding] = await Promise.allSettled(work);
    if (decoding?.status === 'rejected') await giveUpDecoding(decoding.reason);
    if (keeping?.status === 'rejected') {
      await giveUpDecoding(keeping.reason);
      await raw.write(kept);
    }
    if (bytes > maxBytes) break;
  }
  if (broken) throw reason;
  if (bytes > maxBytes) throw brokenAnswer(`The answer has more than ${maxBytes} bytes.`);
  return decoder.end();
}

/**
 * Keeps an answer that is an error, and answers its text. What is cut, or longer than `maxBytes`, is
 * taken as far as it came: the status alone says most.
 */
export async function receiveText(options: {
  body: Readable;
  raw: RawAnswer;
  maxBytes: number;
}): Promise<string> {
  const chunks: Buffer[] = [];
  let room = options.maxBytes;
  try {
    for await (const chunk of options.body) {
      const kept: Buffer = chunk.subarray(0, room);
      room -= kept.length;
      chunks.push(kept);
      await options.raw.write(kept);
      if (room === 0) break;
    }
  } catch {
    // Cut, or the disk is full: the error that the status means is worth more than this one.
  }
  return Buffer.concat(chunks).toString();
}

async function* chunksOf(body: Readable): AsyncGenerator<Buffer, void> {
  try {
    yield* body;
  } catch (cause) {
    throw brokenAnswer('The answer was cut before its end.', cause);
  }
}

/**
 * The body with its content coding undone. We ask for none, but not every proxy listens.
 * @throws EditsApiError BROKEN_ANSWER for a coding nobody asked for and we do not know
 */
export function decodeContent(body: Readable, contentEncoding: string): Readable {
  const coding = contentEncoding.trim().toLowerCase();
  if (coding === '' || coding === 'identity') return body;
  const decoder =
    coding === 'gzip' || coding === 'x-gzip'
      ? createGunzip()
      : coding === 'deflate'
        ? createInflate()
        : coding === 'br'
          ? createBrotliDecompress()
          : null;
  if (decoder === null) {
    body.on('error', () => {}).destroy();
    throw brokenAnswer(`The answer is in an unknown coding, ${JSON.stringify(contentEncoding)}.`);
  }
  body.on('error', (error) => decoder.destroy(error));
  decoder.on('close', () => body.destroy());
  return body.pipe(decoder);
}
