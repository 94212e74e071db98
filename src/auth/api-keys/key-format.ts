import { hash, randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** Begins every API key, so that scanners of secrets recognise it. */
const PREFIX = 'rt_live_';
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 30 characters of base62 have 178 bits. */
const RANDOM_CHARACTERS = 30;
/** A CRC32 has at most 6 digits in base62. */
const CHECKSUM_CHARACTERS = 6;
/** The prefix and four of the random characters. */
const DISPLAYED_CHARACTERS = PREFIX.length + 4;

const FORM = new RegExp(`^${PREFIX}[0-9A-Za-z]{${RANDOM_CHARACTERS + CHECKSUM_CHARACTERS}}$`);

export function generateApiKey(): string {
  const digits = Array.from({ length: RANDOM_CHARACTERS }, () => ALPHABET[randomInt(62)]);
  const body = PREFIX + digits.join('');
  return body + checksum(body);
}

/** Whether a credential is meant to be an API key of this service. */
export function looksLikeApiKey(credential: string): boolean {
  return credential.startsWith('rt_');
}

/** Whether form and checksum are right. A mistyped key is detected without a query. */
export function isApiKey(credential: string): boolean {
  if (!FORM.test(credential)) return false;
  const body = credential.slice(0, -CHECKSUM_CHARACTERS);
  return credential.slice(-CHECKSUM_CHARACTERS) === checksum(body);
}

/** SHA-256, lower-case hex: all that is stored of a key. A random key needs no slow hash. */
export function hashApiKey(key: string): string {
  return hash('sha256', key, 'hex');
}

/** The first characters, by which a person recognises a key. */
export function displayedPart(key: string): string {
  return key.slice(0, DISPLAYED_CHARACTERS);
}

/** CRC32 of the characters before it, in base62. */
function checksum(body: string): string {
  let rest = crc32(body);
  let digits = '';
  for (let i = 0; i < CHECKSUM_CHARACTERS; i += 1) {
    digits = (ALPHABET[rest % 62] ?? '') + digits;
    rest = Math.floor(rest / 62);
  }
  return digits;
}
