import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createFsBlobStore } from '../../src/images/fs-blob-store.ts';
import { describeBlobStore } from '../contracts/blob-store.ts';
import { filesIn } from '../support/directory.ts';
import { stage, temporaryStorage } from '../support/storage.ts';

describeBlobStore('the file system', temporaryStorage);

it('leaves the file for the caller when the disk refuses, and stores nothing', async () => {
  const { dir, staging, stagedFiles } = await temporaryStorage();
  // A file stands where the directory should be: the disk refuses for every user, root included.
  await writeFile(join(dir, 'occupied'), '');
  const blobs = createFsBlobStore({ dir: join(dir, 'occupied') });
  const file = await stage(staging, Buffer.from('picture'));
  await expect(blobs.put('owner/ab/abcd', file.path)).rejects.toMatchObject({
    code: 'STORAGE_UNAVAILABLE',
  });
  expect(await stagedFiles()).toEqual([file.path]);
  expect(await filesIn(join(dir, 'occupied'))).toEqual([]);
});
