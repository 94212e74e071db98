import { join } from 'node:path';
import { createFsBlobStore } from '../../src/images/storage/fs-blob-store.ts';
import { createStaging } from '../../src/images/storage/fs-staging.ts';
import type { StagedFile, Staging } from '../../src/images/storage/staging.ts';
import { filesIn, temporaryDirectory } from './directory.ts';

/** Real storage in a directory of its own, which goes with the test. */
export async function temporaryStorage() {
  const dir = await temporaryDirectory();
  const stagingDir = join(dir, 'staging');
  return {
    dir,
    stagingDir,
    staging: createStaging({ dir: stagingDir }),
    blobs: createFsBlobStore({ dir: join(dir, 'blobs') }),
    stagedFiles: () => filesIn(stagingDir),
  };
}

export async function stage(staging: Staging, content: Uint8Array): Promise<StagedFile> {
  const writer = await staging.create();
  await writer.write(content);
  return writer.finish();
}
