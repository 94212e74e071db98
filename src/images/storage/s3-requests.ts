import type { Readable } from 'node:stream';
import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import { ExponentialBackoff, handleWhen, retry } from 'cockatiel';
import type { S3Credentials } from '../../config/config.ts';
import type { S3Location } from '../../config/storage-url.ts';
import { StorageError } from '../../errors.ts';

export type Sdk = typeof import('@aws-sdk/client-s3');

/** How long the server may be silent, in milliseconds. */
export interface S3Timeouts {
  /** @default 3_000 // 3 seconds */
  readonly connectMs?: number;
  /**
   * Until a response begins, and between two pieces that are sent or received. Pauses of the reader
   * do not count. @default 10_000 // 10 seconds
   */
  readonly idleMs?: number;
}

/** Requests to one bucket, with limited time and attempts. */
export interface S3Requests {
  readonly sdk: Sdk;
  /**
   * Makes up to three attempts if they fail fast and may succeed soon: no connection, a lost one,
   * 429, 5xx. Does not retry a silent server.
   * @param work One attempt.
   * @throws StorageError; ENOENT if `isMissing`.
   */
  send<T>(doing: string, work: (client: S3Client, watch: Watch) => Promise<T>): Promise<T>;
  /** Yields the body in pieces. @throws StorageError if it ends early or the server is silent. */
  receive(body: Readable): AsyncGenerator<Uint8Array, void>;
  /** Makes running requests fail. Idempotent. */
  close(): void;
}

/** Watches one attempt. */
export interface Watch {
  /** Aborts the attempt. */
  readonly signal: AbortSignal;
  /** Call whenever the server sends or accepts data. */
  alive(): void;
  /** Ends the attempt with the given error. */
  fail(reason: Error): void;
}

const RETRIES = 2;

/** Loads the SDK only here, because it takes memory that a service without S3 does not need. */
export async function openS3Requests(
  location: S3Location,
  { credentials, timeouts = {} }: { credentials: S3Credentials | null; timeouts?: S3Timeouts },
): Promise<S3Requests> {
  const sdk = await import('@aws-sdk/client-s3');
  const { connectMs = 3_000, idleMs = 10_000 } = timeouts;
  const client = new sdk.S3Client(clientConfig(location, credentials, connectMs));
  const retrying = retry(handleWhen(isTransient), {
    maxAttempts: RETRIES,
    backoff: new ExponentialBackoff({ initialDelay: 100, maxDelay: 1_000 }),
  });

  async function once<T>(work: (client: S3Client, watch: Watch) => Promise<T>): Promise<T> {
    const ending = new AbortController();
    const timer = setTimeout(() => ending.abort(new SilenceError(idleMs)), idleMs);
    try {
      return await work(client, {
        signal: ending.signal,
        alive: () => timer.refresh(),
        fail: (reason) => ending.abort(reason),
      });
    } catch (error) {
      throw ending.signal.aborted ? ending.signal.reason : error;
    } finally {
      clearTimeout(timer);
    }
  }

  async function* receive(body: Readable): AsyncGenerator<Uint8Array, void> {
    const pieces: AsyncIterator<Uint8Array> = body[Symbol.asyncIterator]();
    const next = async () => {
      const timer = setTimeout(() => body.destroy(new SilenceError(idleMs)), idleMs);
      return await pieces.next().finally(() => clearTimeout(timer));
    };
    try {
      for (let piece = await next(); !piece.done; piece = await next()) yield piece.value;
    } catch (error) {
      throw toStorageError('read an image', error);
    } finally {
      body.destroy();
    }
  }

  return {
    sdk,
    async send(doing, work) {
      try {
        return await retrying.execute(() => once(work));
      } catch (error) {
        if (isMissing(error)) {
          throw Object.assign(new Error('The blob does not exist.'), { code: 'ENOENT' });
        }
        throw toStorageError(doing, error);
      }
    },
    receive,
    close: () => client.destroy(),
  };
}

function clientConfig(
  { endpoint, region, pathStyle }: S3Location,
  credentials: S3Credentials | null,
  connectMs: number,
): S3ClientConfig {
  // Unlimited, because a slow reader of an image occupies a connection.
  const agent = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY };
  return {
    region,
    forcePathStyle: pathStyle,
    ...(endpoint !== null && { endpoint }),
    // Otherwise the SDK finds its own (profile, container, instance).
    ...(credentials !== null && { credentials }),
    logger: SILENT,
    // The SDK could not send a streaming body again; `send` retries.
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: connectMs,
      // Disabled: it would count a slow reader's pauses.
      socketTimeout: 0,
      httpAgent: agent,
      httpsAgent: agent,
    },
    // It would need a separate connection for each image.
    expectContinueHeader: false,
    // Some servers do not support the checksums that the SDK adds by default.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  };
}

/** The SDK's own logger writes to the console. Relevant errors are thrown. */
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

class SilenceError extends Error {
  override name = 'TimeoutError';

  constructor(idleMs: number) {
    super(`The server did not respond for ${idleMs} ms.`);
  }
}

function isTransient(error: unknown): boolean {
  const status = statusOf(error);
  if (status !== undefined) return status === 429 || status >= 500;
  // Node's codes for connection errors; a timeout of the SDK has no code.
  return /^E(?!TIMEDOUT)[A-Z_]+$/.test(codeOf(error) ?? '');
}

/** A missing key. A missing bucket is another error, if the server says so. */
function isMissing(error: unknown): boolean {
  return statusOf(error) === 404 && /^(NoSuchKey|NotFound)$/.test(nameOf(error));
}

function toStorageError(doing: string, error: unknown): StorageError {
  const status = statusOf(error);
  const reason = [status, codeOf(error) ?? nameOf(error)].filter(Boolean).join(' ');
  // The SDK's error contains the whole response; keep only its message.
  const words = error instanceof Error ? error.message : String(error);
  return new StorageError(`The object storage failed to ${doing} (${reason}).`, {
    cause: new Error(words),
  });
}

function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error && '$metadata' in error)) return;
  const { httpStatusCode } = error.$metadata as { httpStatusCode?: number };
  return httpStatusCode;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown error';
}

function codeOf(error: unknown): string | undefined {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string')
    return error.code;
}
