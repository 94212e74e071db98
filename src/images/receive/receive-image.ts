import { InvalidInputError, joinProblems } from '../../errors.ts';
import type { ReceivedImage } from '../images.ts';
import { createInspection } from '../inspect/inspect-image.ts';
import { discardStagedFile } from '../storage/fs-staging.ts';
import type { Staging } from '../storage/staging.ts';

/** A file part of a request. Its name and declared type come from the client and are ignored. */
export interface FileUpload {
  /** May be called once. `truncated` becomes true if the parser cut the file at its own limit. */
  createReadStream(): AsyncIterable<Uint8Array> & { readonly truncated?: boolean };
}

export interface ReceiveOptions {
  readonly staging: Staging;
  /** Settles when the file's part begins, which may be after the parts of other files. */
  readonly upload: FileUpload | PromiseLike<FileUpload>;
  /** Path into the client's input, for messages. */
  readonly field: string;
  /** Maximum size in bytes, inclusive. */
  readonly maxBytes: number;
  readonly maxPixels: number;
  /** Aborting rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Streams an upload into the staging directory and inspects it while it arrives: a wrong format or
 * size is rejected at its first bytes. If it fails, no staged file remains, and the rest of the
 * upload is read and dropped, because the files behind it in the request must not be blocked.
 *
 * Start all files of a request at once (see `receiveUploads`): their parts may come in any order,
 * and an unread part blocks those behind it.
 *
 * The caller moves the staged file into a blob store, or discards it.
 *
 * @throws InvalidInputError naming the field, the limit and the value; StorageError.
 */
export async function receiveUpload(options: ReceiveOptions): Promise<ReceivedImage> {
  const { staging, field, maxBytes, maxPixels, signal } = options;
  signal?.throwIfAborted();
  const interruption = createInterruption(signal);
  const inspection = createInspection({ field, maxPixels });
  let chunks: AsyncIterator<Uint8Array> | undefined;
  let writer: Awaited<ReturnType<Staging['create']>> | undefined;
  try {
    const upload = await interruption
      .race(Promise.resolve(options.upload))
      .catch((error: unknown) => rethrow(field, maxBytes, signal, error));
    const stream = openStream(upload, field, maxBytes);
    chunks = stream[Symbol.asyncIterator]();
    writer = await staging.create();
    for (;;) {
      const step: IteratorResult<Uint8Array> = await interruption
        .race(chunks.next())
        .catch((error: unknown) => rethrow(field, maxBytes, signal, error));
      const size: number = writer.bytes + (step.done ? 0 : step.value.byteLength);
      if (stream.truncated || size > maxBytes) throw tooLarge(field, maxBytes);
      if (step.done) break;
      inspection.write(step.value);
      await writer.write(step.value);
    }
    const facts = inspection.end();
    const staged = await writer.finish();
    signal?.throwIfAborted();
    return { staged, facts };
  } catch (error) {
    if (chunks) void drain(chunks);
    else void drainWhenItComes(options.upload);
    await writer?.discard();
    throw error;
  } finally {
    interruption.end();
  }
}

/**
 * Receives all files of a request side by side, and returns them in the order of `uploads`. Invalid
 * files are all reported; any other failure stops the others. If it throws, no staged file remains.
 *
 * @throws InvalidInputError with the problems of all files; otherwise as \`receiveUpload\`, the failure
 *   that came first.
 */
export async function receiveUploads({
  uploads,
  signal,
  ...common
}: Pick<ReceiveOptions, 'staging' | 'maxPixels' | 'signal'> & {
  readonly uploads: readonly Pick<ReceiveOptions, 'upload' | 'field' | 'maxBytes'>[];
}): Promise<ReceivedImage[]> {
  const stop = new AbortController();
  const either = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  let failure: { error: unknown } | undefined;
  const invalid: InvalidInputError[] = [];
  const received: ReceivedImage[] = [];
  await Promise.allSettled(
    uploads.map(async (upload, index) => {
      try {
        received[index] = await receiveUpload({ ...common, ...upload, signal: either });
      } catch (error) {
        if (error instanceof InvalidInputError) {
          invalid[index] = error;
        } else {
          failure ??= { error };
          stop.abort();
        }
      }
    }),
  );
  // Object.values skips the holes.
  failure ??= toFailure(joinProblems(Object.values(invalid)));
  if (!failure) return received;
  await Promise.all(Object.values(received).map(({ staged }) => discardStagedFile(staged)));
  throw failure.error;
}

function toFailure(error: InvalidInputError | null): { error: unknown } | undefined {
  return error === null ? undefined : { error };
}

/**
 * `race(promise)` rejects as soon as the signal aborts. Unlike Promise.race, it keeps no reference
 * to the values.
 */
function createInterruption(signal: AbortSignal | undefined) {
  let interrupt: ((reason: unknown) => void) | undefined;
  const onAbort = () => interrupt?.(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  return {
    race<T>(promise: Promise<T>): Promise<T> {
      return new Promise((resolve, reject) => {
        interrupt = reject;
        promise.then(resolve, reject);
        if (signal?.aborted) reject(signal.reason);
      });
    },
    end: () => signal?.removeEventListener('abort', onAbort),
  };
}

function openStream(upload: FileUpload, field: string, maxBytes: number) {
  try {
    return upload.createReadStream();
  } catch (error) {
    if (error instanceof Error && error.message.includes('multiple times')) {
      throw new InvalidInputError(
        field,
        'INVALID_VALUE',
        `${field} uses a file that the request uses elsewhere; each file can be used once.`,
        { cause: error },
      );
    }
    return rethrow(field, maxBytes, undefined, error);
  }
}

/** The request ended early, or its parser rejected the file, before or while it was read. */
function rethrow(
  field: string,
  maxBytes: number,
  signal: AbortSignal | undefined,
  error: unknown,
): never {
  if (signal?.aborted) throw signal.reason;
  if (error instanceof InvalidInputError) throw error;
  const status = error instanceof Error && 'status' in error ? error.status : undefined;
  if (status === 413) throw tooLarge(field, maxBytes);
  if (status === 400) {
    throw new InvalidInputError(field, 'REQUIRED', `${field} has no file in the request body.`, {
      cause: error,
    });
  }
  throw new InvalidInputError(
    field,
    'BROKEN_IMAGE',
    `${field} is incomplete: the request body ended early.`,
    { cause: error },
  );
}

/** @param maxBytes The limit, for the message. */
export function tooLarge(field: string, maxBytes: number): InvalidInputError {
  return new InvalidInputError(
    field,
    'TOO_LARGE',
    `${field} may have at most ${maxBytes.toLocaleString('en-US')} bytes.`,
  );
}

/**
 * Reads to the end, because destroying a file stream would stop the parser and all files behind it.
 */
async function drain(chunks: AsyncIterator<unknown>): Promise<void> {
  try {
    while (!(await chunks.next()).done);
  } catch {
    // The request was closed.
  }
}

async function drainWhenItComes(upload: FileUpload | PromiseLike<FileUpload>): Promise<void> {
  try {
    await drain((await upload).createReadStream()[Symbol.asyncIterator]());
  } catch {
    // The part never arrived, or is being read elsewhere.
  }
}
