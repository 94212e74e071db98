import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory } from '../../config/data-dir/durable-files.ts';
import type { Database } from '../../database/database.ts';
import { markOnDisk } from '../../database/synced-mark.ts';
import { UnavailableError } from '../../errors.ts';
import { holdRemoval, releaseRemoval } from '../../images/storage/removal-hold.ts';
import type { Commands } from '../commands/commands.ts';

/** In DATA_DIR: a directory like it, with a copy of the embedded database, while a backup runs. */
export const SNAPSHOT_DIR = 'backup.tmp';

/** The note that says that the snapshot is complete. */
export const SNAPSHOT_READY = 'copied the database';

/**
 * Copies the files of the embedded database, and holds back the removal of blobs, until the caller
 * disconnects. So another process can read the copy at its own pace, and this one only waits while
 * the files are copied.
 */
export function createTakeSnapshot(options: {
  database: Database;
  dataDir: string;
}): Commands['takeSnapshot'] {
  const { database, dataDir } = options;
  const dir = join(dataDir, SNAPSHOT_DIR);
  let isTaken = false;

  return async (_, { note, signal }) => {
    if (database.copyFiles === undefined) throw new Error('a Postgres server needs no copy');
    // The lock alone does not tell: the embedded database has one session.
    if (isTaken) throw new UnavailableError('Another backup is running: wait until it ends.', 60);
    isTaken = true;
    await using session = await database.openForMigration();
    try {
      await holdRemoval(session);
      await rm(dir, { recursive: true, force: true });
      await makeDirectory(dir);
      await database.copyFiles(join(dir, 'postgres'));
      // It need not survive a power cut.
      markOnDisk(dir);
      note(SNAPSHOT_READY);
      if (!signal.aborted) await once(signal, 'abort');
      return {};
    } finally {
      isTaken = false;
      await releaseRemoval(session);
      await rm(dir, { recursive: true, force: true });
    }
  };
}
