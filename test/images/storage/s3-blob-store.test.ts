import { createHash, randomBytes } from 'node:crypto';
import { access } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadConfig } from '../../../src/config/config.ts';
import type { BlobStore } from '../../../src/images/storage/blob-store.ts';
import { openS3BlobStore } from '../../../src/images/storage/s3-blob-store.ts';
import type { S3Timeouts } from '../../../src/images/storage/s3-requests.ts';
import { describeBlobStore } from '../../contracts/blob-store.ts';
import { type S3Fault, type S3Server, startS3Server } from '../../support/s3-server.ts';
import { stage, temporaryStorage } from '../../support/storage.ts';

const KEY = 'owner/ab/abcdef';
/** Short for servers that are silent on purpose; others may have a busy machine to share. */
const SILENT_MS = 300;
const UNAVAILABLE = { code: 'STORAGE_UNAVAILABLE' };

async function openStore(
  server: S3Server,
  env: Record<string, string> = {},
  timeouts: S3Timeouts = {},
): Promise<BlobStore> {
  const { storage } = loadConfig({ ...server.env, ...env });
  if (storage.kind !== 's3') throw new Error('no S3 was set');
  const { blobs, close } = await openS3BlobStore({ ...storage, timeouts });
  onTestFinished(close);
  return blobs;
}

async function setUp(timeouts: S3Timeouts = {}) {
  const server = await startS3Server();
  const { staging, stagedFiles } = await temporaryStorage();
  return { server, staging, stagedFiles, blobs: await openStore(server, {}, timeouts) };
}

describeBlobStore('S3', () => setUp());

it('keeps all keys below the prefix, and lists no others', async () => {
  const { server, blobs, staging } = await setUp();
  await blobs.put(KEY, (await stage(staging, randomBytes(10))).path);
  const others = await openStore(server, {
    STORAGE_URL: `s3://${server.bucket}?endpoint=${server.endpoint}`,
  });
  await others.put('elsewhere', (await stage(staging, randomBytes(10))).path);
  expect(await server.keys()).toEqual(expect.arrayContaining([`some/prefix/${KEY}`, 'elsewhere']));
  expect(await Array.fromAsync(blobs.list(), ({ key }) => key)).toEqual([KEY]);
  expect(await Array.fromAsync(others.list(), ({ key }) => key)).toEqual([
    'elsewhere',
    `some/prefix/${KEY}`,
  ]);
});

it('lists page by page, also from a key on, and asks for no page that nobody reads', async () => {
  const server = await startS3Server({ pageSize: 3 });
  const blobs = await openStore(server);
  const { staging } = await temporaryStorage();
  const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  for (const key of keys) await blobs.put(key, (await stage(staging, Buffer.from(key))).path);
  expect(await Array.fromAsync(blobs.list(), ({ key }) => key)).toEqual(keys);
  expect(await Array.fromAsync(blobs.list({ after: 'b' }), ({ key }) => key)).toEqual(
    keys.slice(2),
  );
  const before = server.requests.length;
  for await (const { key } of blobs.list()) if (key === 'c') break;
  expect(server.requests.length - before).toBe(1);
});

it('makes a blob that is stored again as young as a new one', async () => {
  const { server, blobs, staging } = await setUp();
  const content = randomBytes(10);
  for (let time = 0; time < 2; time += 1) {
    await blobs.put(KEY, (await stage(staging, content)).path);
  }
  expect(server.requests.filter((request) => request.startsWith('PUT'))).toHaveLength(2);
});

it('takes a put again whose file an earlier one took, as when its caller tries again', async () => {
  const { blobs, staging } = await setUp();
  const file = await stage(staging, randomBytes(10));
  await blobs.put(KEY, file.path);
  await blobs.put(KEY, file.path);
  expect(await blobs.size(KEY)).toBe(10);
});

const OPERATIONS: Record<string, (blobs: BlobStore) => Promise<unknown>> = {
  size: (blobs) => blobs.size(KEY),
  read: (blobs) => buffer(blobs.read(KEY)),
  pieces: (blobs) => Array.fromAsync(blobs.pieces(KEY)),
  delete: (blobs) => blobs.delete(KEY),
  list: (blobs) => Array.fromAsync(blobs.list()),
  check: (blobs) => blobs.check(),
};

describe.each<S3Fault['kind']>(['reset', 'busy', 'hang'])(
  'a server that answers with %s',
  (kind) => {
    const patience = kind === 'hang' ? { idleMs: SILENT_MS } : {};

    it('makes a put fail with a StorageError, and leaves the file for the caller', async () => {
      const { server, blobs, staging } = await setUp(patience);
      const content = randomBytes(2_000_000);
      const file = await stage(staging, content);
      server.fail({ kind });
      await expect(blobs.put(KEY, file.path)).rejects.toMatchObject(UNAVAILABLE);
      await access(file.path);
      server.fail(null);
      const patient = await openStore(server);
      expect(await patient.size(KEY)).toBeNull();
      await patient.put(KEY, file.path);
      expect(await buffer(patient.read(KEY))).toEqual(content);
    });

    it.each(Object.keys(OPERATIONS))('makes %s fail with a StorageError', async (name) => {
      const { server, blobs } = await setUp(patience);
      server.fail({ kind });
      await expect(OPERATIONS[name]?.(blobs)).rejects.toMatchObject(UNAVAILABLE);
      // A silent one is not asked again: each time somebody waits.
      expect(server.requests).toHaveLength(kind === 'hang' ? 1 : 3);
    });

    it.runIf(kind !== 'hang')('is tried again, also with a body', async () => {
      const { server, blobs, staging } = await setUp();
      const content = randomBytes(2_000_000);
      const file = await stage(staging, content);
      server.fail({ kind, times: 2 });
      await blobs.put(KEY, file.path);
      server.fail({ kind, times: 2 });
      expect(await buffer(blobs.read(KEY))).toEqual(content);
    });
  },
);

describe.each(['cut', 'stall'] as const)('an answer that is %s half way', (kind) => {
  it.each(['read', 'pieces'])('ends %s with a StorageError', async (name) => {
    const { server, blobs: patient, staging } = await setUp();
    await patient.put(KEY, (await stage(staging, randomBytes(2_000_000))).path);
    const blobs = await openStore(server, {}, kind === 'stall' ? { idleMs: SILENT_MS } : {});
    server.fail({ kind, only: /^GET/ });
    await expect(OPERATIONS[name]?.(blobs)).rejects.toMatchObject(UNAVAILABLE);
  });
});

it('waits for a reader that takes longer than a server may be silent', async () => {
  const { server, blobs: patient, staging } = await setUp();
  const content = randomBytes(8_000_000);
  await patient.put(KEY, (await stage(staging, content)).path);
  const idleMs = 1_000;
  const blobs = await openStore(server, {}, { idleMs });
  const hash = createHash('sha256');
  let isFirst = true;
  for await (const piece of blobs.pieces(KEY)) {
    hash.update(piece);
    // The pause is what is tested.
    if (isFirst) await new Promise((resolve) => setTimeout(resolve, 2 * idleMs));
    isFirst = false;
  }
  expect(hash.digest()).toEqual(createHash('sha256').update(content).digest());
});

it('gives the connection of a reader that stops early free', async () => {
  const { server, blobs, staging } = await setUp();
  await blobs.put(KEY, (await stage(staging, randomBytes(8_000_000))).path);
  for (let time = 0; time < 5; time += 1) {
    for await (const _ of blobs.pieces(KEY)) break;
  }
  await expect.poll(() => server.openConnections()).toBeLessThanOrEqual(1);
});

describe('a wrong setting', () => {
  it.each([
    ['bucket', (url: string) => ({ STORAGE_URL: url.replace('images', 'others') }), 'NoSuchBucket'],
    ['secret', () => ({ AWS_SECRET_ACCESS_KEY: 'another' }), 'SignatureDoesNotMatch'],
    ['key id', () => ({ AWS_ACCESS_KEY_ID: 'another' }), 'InvalidAccessKeyId'],
  ])('of the %s is told by check, and no key is found missing', async (_, change, reason) => {
    const server = await startS3Server();
    const blobs = await openStore(server, change(server.env['STORAGE_URL'] ?? ''));
    await expect(blobs.check()).rejects.toThrow(reason);
    await expect(buffer(blobs.read(KEY))).rejects.toMatchObject(UNAVAILABLE);
  });
});
