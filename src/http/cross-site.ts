import type { IncomingMessage } from 'node:http';

/**
 * Whether a page of another site has a browser read this for it, by Fetch Metadata
 * (https://www.w3.org/TR/fetch-metadata/): as an image, a script or a frame's object, which a page
 * may embed without being allowed to read it, or by a request whose answer that page may not have.
 *
 * Navigations pass, and so do pages of listed origins that ask by CORS. So does whatever sends no such
 * headers: it is not a browser, or one that is too old to know them.
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
