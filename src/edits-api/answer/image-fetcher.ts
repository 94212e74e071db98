import { setTimeout as delay } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { AddressRefusedError, StorageError } from '../../errors.ts';
import type { ReceivedImage } from '../../images/images.ts';
import type { StagedFile, Staging, StagingWriter } from '../../images/storage/staging.ts';
import type { AddressGuard } from '../../net/address-guard.ts';
import { getImage, MAX_REDIRECTS } from '../../net/get-image.ts';
import { parseRetryAfter } from '../../net/retry-after.ts';
import { EditsApiError } from '../edits-api-error.ts';
import { brokenAnswer } from './answer-errors.ts';
import { assertImage } from './assert-image.ts';
import { decodeContent } from './content-decoder.ts';
import { inspectOutput } from './inspect-output.ts';

/** How long a server may be silent before the next attempt, in milliseconds. */
const SILENCE_MS = 30_000;
const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 20_000;
/** Upper limit of `Retry-After`, in milliseconds; longer delays would use up all attempts. */
const MAX_RETRY_AFTER_MS = 60_000;

/** Statuses that no retry can change. All others may become an image. */
const FINAL_STATUSES = [400, 401, 405, 406, 410, 414, 451];

/** Limits of a download, in milliseconds. */
export interface FetchPatience {
  /** From the start of the first attempt to the end of the last. */
  readonly totalMs: number;
  /** Delay before the second attempt; it doubles each time. @default 500 */
  readonly firstDelayMs?: number;
}

/**
 * Downloads one linked image. It was paid for and the download is free, so every temporary failure
 * is retried: an object that does not exist yet, an overloaded server, a broken connection, a page
 * or half an image instead.
 * @throws EditsApiError BROKEN_ANSWER with the last reason; StorageError; the signal's reason when
 *   aborted.
 */
export type FetchImage = (url: string, signal: AbortSignal) => Promise<ReceivedImage>;

/** Why an attempt failed. */
class TryError extends Error {
  readonly isFinal: boolean;
  readonly retryAfterMs: number;

  constructor(
    message: string,
    { isFinal = false, retryAfterMs = 0, cause = undefined as unknown },
  ) {
    super(message, { cause });
    this.isFinal = isFinal;
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * `guard` checks each URL, including those of redirects. The API key is never sent. A relative URL
 * refers to the upstream's own server.
 */
export function createImageFetcher(options: {
  guard: Pick<AddressGuard, 'request'>;
  staging: Staging;
  baseUrl: URL;
  maxImageBytes: number;
  userAgent: string;
  patience: FetchPatience;
}): FetchImage {
  const { guard, staging, baseUrl, maxImageBytes, userAgent, patience } = options;
  const { totalMs, firstDelayMs = FIRST_DELAY_MS } = patience;

  async function get(start: URL, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const got = await getImage(guard, start, {
      userAgent,
      silenceMs: SILENCE_MS,
      signal,
      parseUrl,
    });
    if (got.kind === 'image') return got.response;
    if (got.kind === 'redirects') {
      const message = `${start.host} redirects more than ${MAX_REDIRECTS} times.`;
      throw new TryError(message, { isFinal: true });
    }
    const { statusCode, headers } = got.response;
    const retryAfter = headers['retry-after'];
    const seconds = parseRetryAfter(typeof retryAfter === 'string' ? retryAfter : null, Date.now());
    throw new TryError(`${got.url.host} answered ${statusCode}.`, {
      isFinal: FINAL_STATUSES.includes(statusCode),
      retryAfterMs: (seconds ?? 0) * 1_000,
    });
  }

  async function store(
    response: Dispatcher.ResponseData,
    writer: StagingWriter,
  ): Promise<StagedFile> {
    const coding = response.headers['content-encoding'];
    const decoded = decodeContent(response.body, typeof coding === 'string' ? coding : '');
    for await (const chunk of decoded) {
      if (writer.bytes + chunk.length > maxImageBytes) {
        throw new TryError(`It has more than ${maxImageBytes} bytes.`, { isFinal: true });
      }
      await writer.write(chunk);
    }
    const file = await writer.finish();
    assertImage(file);
    return file;
  }

  async function tryOnce(url: URL, signal: AbortSignal): Promise<ReceivedImage> {
    const writer = await staging.create();
    try {
      return await inspectOutput(await store(await get(url, signal), writer));
    } catch (error) {
      await writer.discard();
      throw error;
    }
  }

  return async (address, aborted) => {
    const deadline = AbortSignal.timeout(totalMs);
    const signal = AbortSignal.any([aborted, deadline]);
    let last: TryError | null = null;
    for (let delayMs = firstDelayMs; ; delayMs = Math.min(delayMs * 2, MAX_DELAY_MS)) {
      try {
        return await tryOnce(parseUrl(address, baseUrl), signal);
      } catch (error) {
        aborted.throwIfAborted();
        if (error instanceof StorageError) throw error;
        // An attempt that the deadline ended says less than the one before it.
        if (last === null || !deadline.aborted) last = toTryError(error);
      }
      if (!last.isFinal && !deadline.aborted) {
        const pauseMs = Math.max(delayMs, Math.min(last.retryAfterMs, MAX_RETRY_AFTER_MS));
        await delay(pauseMs, undefined, { signal }).catch(() => {});
        aborted.throwIfAborted();
      }
      if (last.isFinal || deadline.aborted) {
        throw brokenAnswer(
          `An image in the response could not be downloaded: ${last.message}`,
          last,
        );
      }
    }
  };
}

function parseUrl(address: string, base: URL): URL {
  const url = URL.parse(address, base);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new TryError('Its URL is not one of http or https.', { isFinal: true });
  }
  return url;
}

/** Without the URL, because image URLs are often signed. */
function toTryError(error: unknown): TryError {
  if (error instanceof TryError) return error;
  if (error instanceof AddressRefusedError) {
    return new TryError(error.message, { isFinal: true, cause: error });
  }
  if (error instanceof EditsApiError) return new TryError(error.message, { cause: error });
  const code = error instanceof Error && 'code' in error ? ` (${error.code})` : '';
  return new TryError(`The connection failed${code}.`, { cause: error });
}
