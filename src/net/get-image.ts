import type { Dispatcher } from 'undici';
import type { AddressGuard } from './address-guard.ts';

export const MAX_REDIRECTS = 3;

/** What a server sent for the URL of an image. The body of anything but an image was dropped. */
export type GotImage =
  | { readonly kind: 'image'; readonly response: Dispatcher.ResponseData }
  | { readonly kind: 'other'; readonly url: URL; readonly response: Dispatcher.ResponseData }
  | { readonly kind: 'redirects' };

/**
 * Requests an image from a URL that others chose, without credentials. Follows at most
 * MAX_REDIRECTS redirects; the guard checks the URL of each.
 * @param options.silenceMs How long a server may be silent, in milliseconds.
 * @param options.parseUrl Parses the URL of a redirect; what it throws is thrown.
 * @throws AddressRefusedError; errors of the connection; the signal's reason.
 */
export async function getImage(
  guard: Pick<AddressGuard, 'request'>,
  start: URL,
  options: {
    userAgent: string;
    silenceMs: number;
    signal: AbortSignal;
    parseUrl: (location: string, base: URL) => URL;
  },
): Promise<GotImage> {
  const { userAgent, silenceMs, signal, parseUrl } = options;
  let url = start;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
    const response = await guard.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: 'GET',
      headers: { accept: 'image/*', 'accept-encoding': 'identity', 'user-agent': userAgent },
      headersTimeout: silenceMs,
      bodyTimeout: silenceMs,
      signal,
    });
    const { statusCode, headers } = response;
    if (statusCode === 200) return { kind: 'image', response };
    await response.body.dump({ limit: 16 * 1024 });
    const location = headers['location'];
    if (statusCode < 300 || statusCode > 399 || typeof location !== 'string') {
      return { kind: 'other', url, response };
    }
    url = parseUrl(location, url);
  }
  return { kind: 'redirects' };
}
