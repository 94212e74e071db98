import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { syncDirectory } from '../../config/data-dir/durable-files.ts';
import type { EditsApiError } from '../edits-api-error.ts';
import type { AnswerDecoder, DecodedAnswer } from './answer-decoder.ts';
import { brokenAnswer } from './answer-errors.ts';
import { decodeContent } from './content-decoder.ts';
import { createJsonScanner } from './json-scanner.ts';

/** The file that stores a raw response. */
export interface RawAnswer {
  /** Resolves when the kernel has the bytes. If it rejects, the same bytes may be written again. */
  write(chunk: Buffer): Promise<void>;
  /** Resolves when the content and the name of the file survive a power cut. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** Creates or truncates the file; only this user may read it. */
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

/** The head is written with the first bytes, because without a body it is useless. */
export function withHead(raw: RawAnswer, head: Buffer): RawAnswer {
  let isWritten = false;
  return {
    async write(chunk) {
      await raw.write(isWritten ? chunk : Buffer.concat([head, chunk]));
      isWritten = true;
    },
    sync: raw.sync,
    close: raw.close,
  };
}

/** The body of a response while it arrives. */
export interface AnswerBody {
  /** Decoded from its content encoding. Ends where the response breaks off. */
  readonly chunks: AsyncIterable<Buffer>;
  /** Why the response ended early; null if it did not, as far as is known. */
  readonly cut: EditsApiError | null;
  /** Whether `cut` is known. */
  readonly isEndKnown: boolean;
  /** Closes the connection; data that has arrived may still be read. */
  end(): void;
}

export function openBody(source: Readable, contentEncoding = ''): AnswerBody {
  let cut: EditsApiError | null = null;
  // Without a listener, an error before the first read would be uncaught.
  source.on('error', () => {});
  async function* chunks(): AsyncGenerator<Buffer, void> {
    try {
      yield* decodeContent(source, contentEncoding);
    } catch (error) {
      cut = brokenAnswer('The response ended early.', error);
    }
  }
  return {
    chunks: chunks(),
    get cut() {
      return cut;
    },
    isEndKnown: true,
    end: () => source.destroy(),
  };
}

/** A stored response, of which it is not known whether it is complete. */
export function savedBody(chunks: AsyncIterable<Buffer>): AnswerBody {
  return { chunks, cut: null, isEndKnown: false, end: () => {} };
}

/**
 * Stores and decodes a response chunk by chunk until it is complete; servers may leave the
 * connection open or break it after that. If decoding fails, the rest is still stored before the
 * error is thrown, because it was paid for and may be inspected.
 * @param options.quietMs How long to wait for more data once every requested image has arrived but
 *   the response is not marked as complete.
 * @throws EditsApiError BROKEN_ANSWER if the response is too long; any error of the disk. The
 *   caller discards the decoder.
 */
export async function receiveAnswer(options: {
  body: AnswerBody;
  raw: RawAnswer;
  decoder: AnswerDecoder;
  maxBytes: number;
  quietMs: number;
}): Promise<DecodedAnswer> {
  const { body, raw, decoder, maxBytes, quietMs } = options;
  let broken: { readonly reason: unknown } | null = null;
  let bytes = 0;
  let quiet: NodeJS.Timeout | undefined;
  // On a full disk, staged images make room for the raw bytes, from which they can be read again.
  const giveUpDecoding = async (reason: unknown) => {
    broken ??= { reason };
    await decoder.discard();
  };
  async function take(chunk: Buffer): Promise<void> {
    const kept = chunk.subarray(0, maxBytes - bytes);
    bytes += chunk.length;
    const work = [raw.write(kept)];
    if (broken === null && bytes <= maxBytes) work.push(decoder.write(chunk));
    const [keeping, decoding] = await Promise.allSettled(work);
    if (decoding?.status === 'rejected') await giveUpDecoding(decoding.reason);
    if (keeping?.status === 'rejected') {
      await giveUpDecoding(keeping.reason);
      await raw.write(kept);
    }
  }
  const isEnough = () => broken === null && decoder.state === 'enough';
  try {
    for await (const chunk of body.chunks) {
      await take(chunk);
      if (bytes > maxBytes || (broken === null && decoder.state === 'whole')) break;
      if (isEnough()) {
        quiet ??= setTimeout(body.end, quietMs);
      } else {
        clearTimeout(quiet);
        quiet = undefined;
      }
    }
  } finally {
    clearTimeout(quiet);
  }
  if (broken !== null) throw (broken as { reason: unknown }).reason;
  if (bytes > maxBytes) throw brokenAnswer(`The response has more than ${maxBytes} bytes.`);
  return decoder.end({ isCut: !isEnough() && (body.cut !== null || !body.isEndKnown) });
}

/**
 * Stores an error response and returns its text, up to the last bracket if it is JSON. An
 * incomplete text, or one longer than `maxBytes`, is returned as far as it arrived: the status
 * alone says most.
 */
export async function receiveText(options: {
  body: AnswerBody;
  raw: RawAnswer;
  maxBytes: number;
}): Promise<string> {
  const chunks: Buffer[] = [];
  const json = createJsonScanner({ maxSkeletonBytes: options.maxBytes });
  let room = options.maxBytes;
  try {
    for await (const chunk of options.body.chunks) {
      const kept: Buffer = chunk.subarray(0, room);
      room -= kept.length;
      chunks.push(kept);
      await options.raw.write(kept);
      for (const _ of json.scan(kept));
      if (room === 0 || json.isWhole) break;
    }
  } catch {
    // On a full disk, the error of the response is worth more than this one.
  }
  return Buffer.concat(chunks).toString();
}
