import { createHash, hkdfSync, randomBytes } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConfigError } from '../errors.ts';
import { syncDirectory } from './data-dir/durable-files.ts';

const MIN_BYTES = 32;
/** 32 random bytes have some 30 distinct values; a word or a repeated byte has few. */
const MIN_DIFFERENT_BYTES = 16;

/** The server's only secret; others derive from it. It never leaves this object. */
export interface SecretKey {
  /** Identifies the key without revealing it. */
  readonly id: string;
  /** Deterministic for each purpose; one purpose's bytes reveal nothing about another's. */
  derive(purpose: string, bytes: number): Buffer;
}

/** The current key and earlier ones, so that the current one can be replaced. */
export interface SecretKeys {
  /** Everything new is signed with it. */
  readonly current: SecretKey;
  /** The current key, then the earlier ones: signatures of any of them are valid. */
  readonly all: readonly SecretKey[];
  /** Undefined: no longer in use. */
  find(id: string): SecretKey | undefined;
}

export function createSecretKeys(
  current: SecretKey,
  previous: readonly SecretKey[] = [],
): SecretKeys {
  const all = [current, ...previous.filter(({ id }) => id !== current.id)];
  return { current, all, find: (id) => all.find((key) => key.id === id) };
}

export function createSecretKey(key: Uint8Array): SecretKey {
  const derive = (purpose: string, bytes: number) =>
    Buffer.from(hkdfSync('sha256', key, 'retouch', purpose, bytes));
  const id = createHash('sha256').update(derive('key id', 32)).digest('hex').slice(0, 16);
  return { id, derive };
}

/**
 * Decodes a key from the environment: base64, base64url or hex.
 * @returns null unless it has at least 32 bytes that look random.
 */
export function parseSecretKey(text: string): Buffer | null {
  // Hex first: as base64, a hex key that is too short would pass.
  const isHex = /^[0-9a-f]+$/i.test(text);
  if (!isHex && !/^[\w+/-]+={0,2}$/.test(text)) return null;
  const key = Buffer.from(text, isHex ? 'hex' : 'base64');
  return key.length >= MIN_BYTES && new Set(key).size >= MIN_DIFFERENT_BYTES ? key : null;
}

/**
 * The keys of PREVIOUS_SECRET_KEYS, after the current one. Null as for `openSecretKey`.
 * @throws ConfigError
 */
export async function openSecretKeys(options: {
  configured: string | null;
  file: string | null;
  previous: readonly Uint8Array[];
}): Promise<SecretKeys | null> {
  const current = await openSecretKey(options);
  return current && createSecretKeys(current, options.previous.map(createSecretKey));
}

/**
 * The configured key, or the one in `file`, which is generated at the first start with mode 600.
 * Null if neither is given: several processes cannot agree on a generated key.
 * @throws ConfigError if the file does not contain a valid key.
 */
export async function openSecretKey(options: {
  configured: string | null;
  file: string | null;
}): Promise<SecretKey | null> {
  const { configured, file } = options;
  if (configured === null && file === null) return null;
  const text = configured ?? (await readOrGenerate(file ?? ''));
  const key = parseSecretKey(text);
  if (key !== null) return createSecretKey(key);
  throw new ConfigError([
    configured !== null
      ? 'SECRET_KEY is invalid: expected at least 32 random bytes as base64 or hex.'
      : `${file} does not contain a valid key: restore the file, or delete it to generate a new key (webhook secrets derived from the old key become invalid).`,
  ]);
}

async function readOrGenerate(file: string): Promise<string> {
  const kept = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return null;
  });
  if (kept !== null) return kept.trim();
  // The link makes the complete file visible at once, and only after it is on the disk.
  const text = randomBytes(MIN_BYTES).toString('base64');
  const staged = `${file}.${process.pid}`;
  await rm(staged, { force: true });
  await writeDurably(staged, `${text}\n`);
  try {
    await link(staged, file);
  } finally {
    await rm(staged, { force: true });
  }
  await syncDirectory(dirname(file));
  return text;
}

async function writeDurably(path: string, text: string): Promise<void> {
  // With `flush`, Node calls fsync before it closes the file.
  await writeFile(path, text, { flag: 'wx', mode: 0o600, flush: true });
}
