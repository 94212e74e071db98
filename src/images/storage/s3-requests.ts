import type { Readable } from 'node:stream';
import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import { ExponentialBackoff, handleWhen, retry } from 'cockatiel';
import type { S3Credentials } from '../../config/config.ts';
import type { S3Location } from '../../config/storage-url.ts';
import { StorageError } from '../../errors.ts';

export type Sdk = typeof import('@aws-sdk/client-s3');

/** How long the server may give no sign of life, in milliseconds. */
export interface S3Timeouts {
  /** @default 3_000 // 3 seconds */
  readonly connectMs?: number;
  /**
   * Until an answer begins, and between two pieces that are sent or waited for. A reader that takes
   * its time is no silence of the server's. @default 10_000 // 10 seconds
   */
  readonly idleMs?: number;
}

/** Requests to one bucket, bounded in time and tries. */
export interface S3Requests {
  readonly sdk: Sdk;
  /**
   * Tries up to three times what fails at once and may be well soon: no connection, a lost one, 429,
   * 5xx. A server that is silent is not asked again.
   * @param work One try.
   * @throws StorageError; ENOENT as `isMissing` tells it.
   */
  send<T>(doing: string, work: (client: S3Client, watch: Watch) => Promise<T>): Promise<T>;
  /** The body piece by piece. @throws StorageError when it is cut or stays away. */
  receive(body: Readable): AsyncGenerator<Uint8Array, void>;
  /** Running requests fail. Idempotent. */
  close(): void;
}

/** Over one try. */
export interface Watch {
  /** Ends it. */
  readonly signal: AbortSignal;
  /** There was a sign of life. */
  alive(): void;
  /** Ends it for a reason of our own. */
  fail(reason: Error): void;
}

const RETRIES = 2;

/** The SDK is loaded only here: it takes memory that a service without S3 has no use for. */
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
  // Not limited: a slow reader of an image holds a connection.
  const agent = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY };
  return {
    region,
    forcePathStyle: pathStyle,
    ...(endpoint !== null && { endpoint }),
    // Without: wherever the SDK finds some (profile, container, instance).
    ...(credentials !== null && { credentials }),
    logger: SILENT,
    // A body that streams could not be sent again by the SDK: trying again is up to `send`.
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: connectMs,
      // None: it would count a slow reader's pauses.
      socketTimeout: 0,
      httpAgent: agent,
      httpsAgent: agent,
    },
    // It would cost a connection of its own for each image.
    expectContinueHeader: false,
    // Not all servers know the checksums that the SDK adds by itself.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  };
}

/** The SDK's own would write to the console. What matters is thrown. */
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
  // Node's own words for a connection; a timeout of the SDK's has no code.
  return /^E(?!TIMEDOUT)[A-Z_]+$/.test(codeOf(error) ?? '');
}

/** Of a key; a bucket that is not there is another matter, where the server tells. */
function isMissing(error: unknown): boolean {
  return statusOf(error) === 404 && /^(NoSuchKey|NotFound)$/.test(nameOf(error));
}

function toStorageError(doing: string, error: unknown): StorageError {
  const status = statusOf(error);
  const reason = [status, codeOf(error) ?? nameOf(error)].filter(Boolean).join(' ');
  // What the SDK throws holds the whole answer: only its words go on.
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
