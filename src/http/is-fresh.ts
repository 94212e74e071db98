import type { IncomingMessage } from 'node:http';
import fresh from 'fresh';

/**
 * Whether the client has this version already, by `If-None-Match` (RFC 9110 section 13.1.2).
 * `Cache-Control: no-cache` is ignored: fetch() sends it with every conditional request, and a 304
 * is a validation, as it asks for.
 */
export function isFresh({ headers }: IncomingMessage, etag: string): boolean {
  return fresh({ 'if-none-match': headers['if-none-match'] }, { etag });
}
