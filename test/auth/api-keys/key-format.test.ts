import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import {
  displayedPart,
  generateApiKey,
  hashApiKey,
  isApiKey,
} from '../../../src/auth/api-keys/key-format.ts';

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const base62 = (value: number): string =>
  Array.from({ length: 6 }, (_, at) => DIGITS[Math.floor(value / 62 ** (5 - at)) % 62]).join('');

describe('an API key', () => {
  test('is the prefix, 30 random characters and a checksum, and differs each time', () => {
    const keys = Array.from({ length: 200 }, generateApiKey);
    for (const key of keys) {
      expect(key).toMatch(/^rt_live_[0-9A-Za-z]{36}$/);
      expect(isApiKey(key)).toBe(true);
    }
    expect(new Set(keys).size).toBe(keys.length);
  });

  test('has the CRC32 of what is before it, in base62, as its last six characters', () => {
    // CRC32 of these 38 characters, computed by another implementation.
    const body = `rt_live_${'a'.repeat(30)}`;
    expect(isApiKey(`${body}241UpG`)).toBe(true);
    expect(base62(crc32(body))).toBe('241UpG');
  });

  test('is recognized as mistyped wherever one character differs', () => {
    const key = generateApiKey();
    for (let at = 'rt_live_'.length; at < key.length; at += 1) {
      const other = key[at] === 'x' ? 'y' : 'x';
      expect(isApiKey(key.slice(0, at) + other + key.slice(at + 1)), String(at)).toBe(false);
    }
  });

  test.each(['', 'rt_live_', 'sk-abc', 'RT_LIVE_aaaa', `rt_test_${'a'.repeat(36)}`])(
    'is not %j',
    (text) => expect(isApiKey(text)).toBe(false),
  );

  test.each([
    `rt_test_${'a'.repeat(30)}`,
    `rt_live_${'a'.repeat(29)}`,
    `rt_live_${'a'.repeat(31)}`,
    `rt_live_${'a'.repeat(29)}-`,
  ])('is not %s with its right checksum', (body) => {
    expect(isApiKey(body + base62(crc32(body)))).toBe(false);
  });

  test('shows 12 characters, and is stored as its SHA-256', () => {
    const key = generateApiKey();
    expect(displayedPart(key)).toBe(key.slice(0, 12));
    expect(hashApiKey('abc')).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });
});
