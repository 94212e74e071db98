import type { Config } from '../../config/config.ts';
import { makeDirectory } from '../../config/data-dir/durable-files.ts';
import type { BlobStore } from './blob-store.ts';
import { createFsBlobStore } from './fs-blob-store.ts';
import { openS3BlobStore } from './s3-blob-store.ts';

/** The blob store of the settings. `close` makes running requests fail. */
export async function openBlobStore(
  storage: Config['storage'],
): Promise<{ blobs: BlobStore; close: () => void }> {
  if (storage.kind === 's3') return openS3BlobStore(storage);
  await makeDirectory(storage.dir);
  return { blobs: createFsBlobStore(storage), close: () => {} };
}
