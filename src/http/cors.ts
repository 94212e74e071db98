import type { IncomingMessage, ServerResponse } from 'node:http';

/** Lets pages of other origins use the API (https://fetch.spec.whatwg.org/#http-cors-protocol). */
export interface Cors {
  /**
   * Sets the headers by which a browser hands the answer to a page of a listed origin, and answers
   * that page's preflight request.
   * @returns Whether the response is ended: nothing else is to answer it.
   */
  answerPreflight(req: IncomingMessage, res: ServerResponse): boolean;
}

/** Chromium takes no longer span than two hours. */
const MAX_AGE_SECONDS = 7_200;

/** Other than the safelisted ones: what a client acts on. */
const EXPOSED = 'content-range, etag, retry-after, x-request-id';

/**
 * An origin that is not listed gets no header, preflight or not, so that its browser refuses it.
 * Credentials are never allowed, since there are none: no cookie means anything here.
 */
export function createCors(options: {
  /** As browsers write them in `Origin`; none: every other origin is refused. */
  origins: readonly string[];
}): Cors {
  const listed = new Set(options.origins);
  return {
    answerPreflight(req, res) {
      if (listed.size === 0) return false;
      // Also where no origin was given: caches must not hand that answer to a page that gives one.
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
        // The star covers every header but this one.
        'access-control-allow-headers': 'authorization, *',
        'access-control-max-age': String(MAX_AGE_SECONDS),
      });
      res.end();
      return true;
    },
  };
}
