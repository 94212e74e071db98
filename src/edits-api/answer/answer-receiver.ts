import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { syncDirectory } from '../../config/data-dir/durable-files.ts';
import type { EditsApiError } from '../edits-api-error.ts';
import type { AnswerDecoder, DecodedAnswer } from './answer-decoder.ts';
import { brokenAnswer } from './answer-errors.ts';
import { decodeContent } from './content-decoder.ts';
import { createJsonScanner } from './json-scanner.ts';

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

/** The head goes before the first bytes: without these there is nothing to look at. */
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

/** The bytes of an answer while they arrive. */
export interface AnswerBody {
  /** Content coding undone. Ends where the answer breaks off. */
  readonly chunks: AsyncIterable<Buffer>;
  /** Why it broke off before its end; null: it did not, as far as it was read and can be told. */
  readonly cut: EditsApiError | null;
  /** Whether that can be told. */
  readonly isEndKnown: boolean;
  /** Closes the connection; what has arrived may still come. */
  end(): void;
}

export function openBody(source: Readable, contentEncoding = ''): AnswerBody {
  let cut: EditsApiError | null = null;
  // One that is destroyed before it is read would have nobody to tell.
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

/** An answer that was kept, of which nobody knows any more whether all of it came. */
export function savedBody(chunks: AsyncIterable<Buffer>): AnswerBody {
  return { chunks, cut: null, isEndKnown: false, end: () => {} };
}

/**
 * Keeps an answer and decodes it, chunk by chunk and in step, until it is whole: servers may leave the
 * connection open, or break it off, behind that. When it cannot be decoded, the rest is still kept
 * before the error is thrown: it was paid for, and somebody may want to look.
 * @param options.quietMs How long to wait for more when every image that was asked for has come, and
 * the answer has not said that it is whole.
 * @throws EditsApiError BROKEN_ANSWER for an answer that is too long; whatever the disk threw. The
 * decoder is left to the caller to discard.
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
  // On a full disk what was decoded gives its room to the raw bytes, from which it can be read again.
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
 * Keeps an answer that is an error, and answers its text, to its last bracket if it is JSON. What is
 * cut, or longer than `maxBytes`, is taken as far as it came: the status alone says most.
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
    // The disk is full: the error that the status means is worth more than this one.
  }
  return Buffer.concat(chunks).toString();
}
