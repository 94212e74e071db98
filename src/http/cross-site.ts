import type { IncomingMessage } from 'node:http';

/**
 * Whether a browser reads this for a page of another site, by Fetch Metadata
 * (https://www.w3.org/TR/fetch-metadata/): as an image, a script or an embedded object, which a
 * page may include without being allowed to read it, or by a request whose response the page may
 * not read.
 *
 * Navigations pass, and so do pages of listed origins in CORS mode. So does any client without such
 * headers: it is not a browser, or too old to send them.
 */
export function isForbiddenRead(
  { headers }: IncomingMessage,
  corsOrigins: readonly string[],
): boolean {
  if (headers['sec-fetch-site'] !== 'cross-site') return false;
  switch (headers['sec-fetch-mode']) {
    case 'navigate':
      return ['object', 'embed'].includes(String(headers['sec-fetch-dest']));
    case 'cors':
      return !corsOrigins.includes(headers.origin ?? '');
    default:
      return true;
  }
}
