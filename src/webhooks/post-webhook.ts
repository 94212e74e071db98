import { AddressRefusedError } from '../errors.ts';
import type { AddressGuard } from '../net/address-guard.ts';
import { parseRetryAfter } from '../net/retry-after.ts';

/** Of an answer nothing but its head matters; so much is read to end the exchange in peace. */
const MAX_ANSWER_BYTES = 64 * 1_024;

export interface PostResult {
  /** Null: no answer came. */
  readonly httpStatus: number | null;
  /** For people; null: taken (2xx). Never holds the URL, an inner address or the answer. */
  readonly error: string | null;
  readonly retryAfterSeconds: number | null;
}

/**
 * POSTs one JSON message, follows no redirect, and takes at most `timeoutMs` from name resolution to
 * the answer's head, and as long for its body.
 * @throws what `signal` was aborted with; nothing else.
 */
export type PostWebhook = (
  url: string,
  message: { headers: Record<string, string>; body: string },
  signal: AbortSignal,
) => Promise<PostResult>;

export function createPostWebhook(options: {
  guard: AddressGuard;
  timeoutMs: number;
}): PostWebhook {
  const { guard, timeoutMs } = options;

  return async (url, { headers, body }, stopping) => {
    stopping.throwIfAborted();
    const { origin, pathname, search } = new URL(url);
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      const response = await guard.request({
        origin,
        path: pathname + search,
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json', 'user-agent': 'retouch' },
        body,
        // A connection of its own each time: one kept open may be dead by the next message.
        reset: true,
        signal: AbortSignal.any([stopping, timeout]),
      });
      const { statusCode: httpStatus } = response;
      await response.body.dump({ limit: MAX_ANSWER_BYTES }).catch(() => {});
      const retryAfter = response.headers['retry-after'];
      return {
        httpStatus,
        error: errorOfStatus(httpStatus),
        retryAfterSeconds: parseRetryAfter(
          typeof retryAfter === 'string' ? retryAfter : null,
          Date.now(),
        ),
      };
    } catch (error) {
      stopping.throwIfAborted();
      const reason = timeout.aborted
        ? `The endpoint did not respond within ${timeoutMs / 1_000} s.`
        : reasonOf(error);
      return { httpStatus: null, error: reason, retryAfterSeconds: null };
    }
  };
}

function errorOfStatus(httpStatus: number): string | null {
  if (httpStatus >= 200 && httpStatus <= 299) return null;
  return httpStatus >= 300 && httpStatus <= 399
    ? `The endpoint returned ${httpStatus}; redirects are not followed.`
    : `Answered ${httpStatus}.`;
}

function reasonOf(error: unknown): string {
  if (error instanceof AddressRefusedError) {
    return 'The URL resolves to an address that is not public. No connection was made.';
  }
  const code = error instanceof Error && 'code' in error ? ` (${error.code})` : '';
  return `The connection failed${code}.`;
}
