import { chmod, mkdir } from 'node:fs/promises';

/** Of a directory that only this user may look into. */
export const PRIVATE_DIRECTORY = 0o700;

/** Of a file that only this user may read. */
export const PRIVATE_FILE = 0o600;

/** Makes a directory, and those above it, for this user alone. An existing one becomes so, too. */
export async function makePrivateDirectory(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true, mode: PRIVATE_DIRECTORY });
  await chmod(dir, PRIVATE_DIRECTORY).catch((error: NodeJS.ErrnoException) => {
    // A mounted one may belong to another user who has granted access on purpose.
    if (error.code !== 'EPERM') throw error;
  });
}
