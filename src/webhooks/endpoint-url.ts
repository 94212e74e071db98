import { isIP } from 'node:net';
import { InvalidInputError } from '../errors.ts';
import { isPublicAddress } from '../net/address-guard.ts';
import type { IsAllowedHost } from '../net/allowed-hosts.ts';

const MAX_CHARACTERS = 2_048;

/**
 * What can be told of a webhook's URL before anything is resolved; where a name leads is checked
 * at each delivery. Answers it as it is requested.
 * @throws InvalidInputError for anything but https to a public host, or http(s) to an allowed one.
 */
export function checkEndpointUrl(text: string, isAllowed: IsAllowedHost): string {
  if (text.length > MAX_CHARACTERS)
    throw refuse('TOO_LARGE', `has ${text.length} characters; at most ${MAX_CHARACTERS}`);
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw refuse('INVALID_VALUE', 'is no https:// URL');
  }
  if (url.username !== '' || url.password !== '') {
    throw refuse('UNSUPPORTED_VALUE', 'must hold no user name or password');
  }
  if (url.hash !== '') throw refuse('UNSUPPORTED_VALUE', 'must have no #fragment');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  if (isAllowed(host, port)) return url.href;
  if (isInward(host)) {
    throw refuse(
      'UNSUPPORTED_VALUE',
      'leads into the server’s own network; only a host in WEBHOOK_ALLOWED_HOSTS may be there',
    );
  }
  if (url.protocol !== 'https:') throw refuse('UNSUPPORTED_VALUE', 'must be https, not http');
  return url.href;
}

function isInward(host: string): boolean {
  return isIP(host) === 0 ? /(^|\.)localhost\.?$/.test(host) : !isPublicAddress(host);
}

function refuse(code: InvalidInputError['code'], reason: string): InvalidInputError {
  return new InvalidInputError('url', code, `A webhook’s url ${reason}.`);
}
