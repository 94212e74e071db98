import { AddressRefusedError } from '../errors.ts';
import type { AddressGuard } from '../net/address-guard.ts';
import { parseRetryAfter } from '../net/retry-after.ts';

/** Only the head of a response matters; this much is read to end the exchange cleanly. */
const MAX_ANSWER_BYTES = 64 * 1_024;

export interface PostResult {
  /** Null if there was no response. */
  readonly httpStatus: number | null;
  /**
   * For people; null if the endpoint returned a 2xx. Never contains the URL, an internal address or
   * the response.
   */
  readonly error: string | null;
  readonly retryAfterSeconds: number | null;
}

/**
 * POSTs one JSON message without following redirects. Takes at most `timeoutMs` from name
 * resolution to the response's head, and again for its body.
 * @throws the reason of `signal`, nothing else.
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
        // A new connection each time, because an idle one may be dead by the next message.
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
