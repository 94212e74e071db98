import type { IncomingMessage, ServerResponse } from 'node:http';

/** Lets pages of other origins use the API (https://fetch.spec.whatwg.org/#http-cors-protocol). */
export interface Cors {
  /**
   * Sets the headers that let a page of a listed origin read the response, and responds to its
   * preflight request.
   * @returns Whether the response has ended.
   */
  answerPreflight(req: IncomingMessage, res: ServerResponse): boolean;
}

/** Chromium accepts at most two hours. */
const MAX_AGE_SECONDS = 7_200;

/** Response headers beyond the safelisted ones that clients act on. */
const EXPOSED = [
  'content-range',
  'etag',
  'openai-processing-ms',
  'ratelimit',
  'ratelimit-policy',
  'retry-after',
  'x-ratelimit-limit-requests',
  'x-ratelimit-remaining-requests',
  'x-ratelimit-reset-requests',
  'x-request-id',
  'x-retouch-attached',
  'x-retouch-edit-id',
  'x-retouch-edit-url',
  'x-should-retry',
].join(', ');

/**
 * An unlisted origin gets no header, so its browser rejects the response. Credentials are never
 * allowed, because the service uses no cookies.
 */
export function createCors(options: {
  /** As in `Origin`; empty to reject every other origin. */
  origins: readonly string[];
}): Cors {
  const listed = new Set(options.origins);
  return {
    answerPreflight(req, res) {
      if (listed.size === 0) return false;
      // Also without an origin, because caches must not reuse that response for a page with one.
      res.setHeader('vary', 'Origin');
      const { origin } = req.headers;
      if (origin === undefined || !listed.has(origin)) return false;
      res.setHeader('access-control-allow-origin', origin);
      const method = req.headers['access-control-request-method'];
      if (req.method !== 'OPTIONS' || method === undefined) {
        res.setHeader('access-control-expose-headers', EXPOSED);
        return false;
      }
      res.writeHead(204, {
        'access-control-allow-methods': 'GET, HEAD, POST',
        // The asterisk covers every header but this one.
        'access-control-allow-headers': 'authorization, *',
        'access-control-max-age': String(MAX_AGE_SECONDS),
      });
      res.end();
      return true;
    },
  };
}
