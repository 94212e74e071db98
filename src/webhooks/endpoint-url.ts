import { isIP } from 'node:net';
import { InvalidInputError } from '../errors.ts';
import { isPublicAddress } from '../net/address-guard.ts';
import type { IsAllowedHost } from '../net/allowed-hosts.ts';

const MAX_CHARACTERS = 2_048;

/**
 * Checks a webhook's URL before anything is resolved; each delivery checks the resolved address.
 * Returns the normalised URL.
 * @throws InvalidInputError for anything but https to a public host, or http(s) to an allowed one.
 */
export function checkEndpointUrl(text: string, isAllowed: IsAllowedHost): string {
  if (text.length > MAX_CHARACTERS)
    throw refuse(
      'TOO_LARGE',
      `may have at most ${MAX_CHARACTERS} characters; it has ${text.length}`,
    );
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw refuse('INVALID_VALUE', 'must be an https:// URL');
  }
  if (url.username !== '' || url.password !== '') {
    throw refuse('UNSUPPORTED_VALUE', 'must not contain a user name or password');
  }
  if (url.hash !== '') throw refuse('UNSUPPORTED_VALUE', 'must have no #fragment');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  if (isAllowed(host, port)) return url.href;
  if (isInward(host)) {
    throw refuse(
      'UNSUPPORTED_VALUE',
      'must be a public host; the operator can allow others in WEBHOOK_ALLOWED_HOSTS',
    );
  }
  if (url.protocol !== 'https:') throw refuse('UNSUPPORTED_VALUE', 'must be https, not http');
  return url.href;
}

function isInward(host: string): boolean {
  return isIP(host) === 0 ? /(^|\.)localhost\.?$/.test(host) : !isPublicAddress(host);
}

function refuse(code: InvalidInputError['code'], reason: string): InvalidInputError {
  return new InvalidInputError('url', code, `The webhook’s url ${reason}.`);
}
