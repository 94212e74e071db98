import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { StorageError } from '../../errors.ts';
import type { BlobStore } from './blob-store.ts';

/**
 * Stores, reads and deletes an object of its own: permissions for one say nothing about the others.
 * @param options.dir For the file to store; of a directory store, on its file system.
 * @throws StorageError of the first step that fails; the object is deleted if that is possible.
 */
export async function probeBlobs(options: { blobs: BlobStore; dir: string }): Promise<void> {
  const { blobs, dir } = options;
  // Not the name of an image: `blobKey` begins with 32 hex digits.
  const key = `probe-${randomUUID()}`;
  const path = join(dir, `.${key}`);
  const content = Buffer.from(`${key}\n`);
  try {
    await writeFile(path, content);
    await blobs.put(key, path);
    const read = await buffer(blobs.read(key)).catch((error) => {
      if (error instanceof StorageError) throw error;
      throw new StorageError('The storage does not have an object that it has just stored.', {
        cause: error,
      });
    });
    if (!read.equals(content)) {
      throw new StorageError('The storage returned other bytes than it was given.');
    }
  } catch (error) {
    await blobs.delete(key).catch(() => {});
    throw error;
  } finally {
    await rm(path, { force: true });
  }
  await blobs.delete(key);
  if ((await blobs.size(key)) !== null) {
    throw new StorageError('The storage still has an object after its deletion.');
  }
}
