import { randomBytes } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createSecretKey, openSecretKey, parseSecretKey } from '../../src/config/secret-key.ts';
import { ConfigError } from '../../src/errors.ts';
import { filesIn, temporaryDirectory } from '../support/directory.ts';

describe('the secret key', () => {
  test('is read from base64, base64url and hex', () => {
    const key = randomBytes(40);
    for (const encoding of ['base64', 'base64url', 'hex'] as const) {
      expect(parseSecretKey(key.toString(encoding))).toEqual(key);
    }
  });

  test.each([
    ['short', randomBytes(31).toString('base64')],
    ['short in hex', randomBytes(31).toString('hex')],
    ['a word over and over', 'changeme'.repeat(12)],
    ['zeros', '0'.repeat(64)],
    ['a sentence', 'this is my very secret key and nobody will ever guess it at all'],
    ['empty', ''],
  ])('is refused when it is %s', (_, text) => {
    expect(parseSecretKey(text)).toBeNull();
  });

  test('gives the same secret for the same purpose, and another for any other or by another key', () => {
    const bytes = randomBytes(32);
    const key = createSecretKey(bytes);
    expect(createSecretKey(bytes).derive('a', 32)).toEqual(key.derive('a', 32));
    expect(key.derive('b', 32)).not.toEqual(key.derive('a', 32));
    expect(createSecretKey(randomBytes(32)).derive('a', 32)).not.toEqual(key.derive('a', 32));
  });

  test('shows nothing of itself but its id', () => {
    const bytes = randomBytes(32);
    const key = createSecretKey(bytes);
    expect(JSON.stringify(key)).toBe(JSON.stringify({ id: key.id }));
    expect(key.id).not.toBe(createSecretKey(randomBytes(32)).id);
  });

  test('is generated once, into a file that only its owner can read', async () => {
    const dir = await temporaryDirectory();
    const file = join(dir, 'secret.key');
    const key = await openSecretKey({ configured: null, file });
    const again = await openSecretKey({ configured: null, file });
    expect(again?.id).toBe(key?.id);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(parseSecretKey((await readFile(file, 'utf8')).trim())).toHaveLength(32);
    expect(await filesIn(dir)).toEqual([file]);
  });

  test('is the configured one before that of the file, and none without either', async () => {
    const dir = await temporaryDirectory();
    const configured = randomBytes(32).toString('hex');
    const key = await openSecretKey({ configured, file: join(dir, 'secret.key') });
    expect(key?.id).toBe(createSecretKey(Buffer.from(configured, 'hex')).id);
    expect(await filesIn(dir)).toEqual([]);
    expect(await openSecretKey({ configured: null, file: null })).toBeNull();
  });

  test('is never replaced when its file is broken', async () => {
    const file = join(await temporaryDirectory(), 'secret.key');
    await writeFile(file, '');
    await expect(openSecretKey({ configured: null, file })).rejects.toBeInstanceOf(ConfigError);
    expect(await readFile(file, 'utf8')).toBe('');
  });
});
