import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createFsBlobStore } from '../../../src/images/storage/fs-blob-store.ts';
import { describeBlobStore } from '../../contracts/blob-store.ts';
import { filesIn } from '../../support/directory.ts';
import { stage, temporaryStorage } from '../../support/storage.ts';

describeBlobStore('the file system', temporaryStorage);

it('leaves the file for the caller when the disk refuses, and stores nothing', async () => {
  const { dir, staging, stagedFiles } = await temporaryStorage();
  // A file stands where the directory should be: the disk refuses for every user, root included.
  await writeFile(join(dir, 'occupied'), '');
  const blobs = createFsBlobStore({ dir: join(dir, 'occupied') });
  const file = await stage(staging, Buffer.from('image'));
  await expect(blobs.put('owner/ab/abcd', file.path)).rejects.toMatchObject({
    code: 'STORAGE_UNAVAILABLE',
  });
  expect(await stagedFiles()).toEqual([file.path]);
  expect(await filesIn(join(dir, 'occupied'))).toEqual([]);
});

it('makes a blob that is stored again as young as a new one', async () => {
  const { staging, blobs } = await temporaryStorage();
  const content = Buffer.from('image');
  await blobs.put('owner/ab/abcd', (await stage(staging, content)).path);
  await utimes(blobs.localPath?.('owner/ab/abcd') ?? '', 0, 0);
  const before = Date.now();
  await blobs.put('owner/ab/abcd', (await stage(staging, content)).path);
  const [entry] = await Array.fromAsync(blobs.list());
  expect(entry?.modifiedAt.getTime()).toBeGreaterThanOrEqual(before - 1_000);
});

it('lists no files but blobs, and says so with a StorageError when the directory cannot be read', async () => {
  const { dir, staging, blobs } = await temporaryStorage();
  await blobs.put('owner/ab/abcd', (await stage(staging, Buffer.from('image'))).path);
  await writeFile(join(dir, 'blobs', 'owner', 'ab', '.nfs0001'), 'left by a network file system');
  expect(await Array.fromAsync(blobs.list(), ({ key }) => key)).toEqual(['owner/ab/abcd']);
  await writeFile(join(dir, 'occupied'), '');
  const broken = createFsBlobStore({ dir: join(dir, 'occupied') });
  await expect(Array.fromAsync(broken.list())).rejects.toMatchObject({
    code: 'STORAGE_UNAVAILABLE',
  });
});
