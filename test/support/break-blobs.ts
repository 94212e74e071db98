import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * From now on no image of this DATA_DIR can be stored: a file stands where the directory was.
 * Answers what mends it.
 */
export async function breakBlobs(dataDir: string): Promise<() => Promise<void>> {
  const blobs = join(dataDir, 'blobs');
  await rename(blobs, `${blobs}.away`);
  await writeFile(blobs, '');
  return async () => {
    await rm(blobs);
    await rename(`${blobs}.away`, blobs);
  };
}
