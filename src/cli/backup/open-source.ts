import { join } from 'node:path';
import type { Contents } from '../../admin/backup/contents.ts';
import { openLiveContents } from '../../admin/backup/live-contents.ts';
import { BackupError } from '../../admin/backup/manifest.ts';
import { SNAPSHOT_DIR, SNAPSHOT_READY } from '../../admin/backup/take-snapshot.ts';
import { type Commands, UNHEARD } from '../../admin/commands/commands.ts';
import type { Config } from '../../config/config.ts';
import { connectDatabase } from '../../database/open-database.ts';
import { openBlobStore } from '../../images/storage/open-blob-store.ts';
import { holdRemoval } from '../../images/storage/removal-hold.ts';
import type { Log } from '../../log.ts';
import { reachData } from '../open-commands.ts';

/** The contents of an installation, open. */
export interface OpenSource extends AsyncDisposable {
  readonly contents: Contents;
}

/**
 * Opens the contents of the installation of the settings, whether a service runs on it or not. No blob
 * that they name is removed until it is closed.
 * @throws BackupError, ConfigError or StartError
 */
export async function openSource(options: { config: Config; log: Log }): Promise<OpenSource> {
  const { config } = options;
  return reachData(config, {
    byService: async (commands) => {
      await using opened = new AsyncDisposableStack();
      opened.adopt(await takeSnapshot(commands), (release) => release());
      const dir = join(config.dataDir, SNAPSHOT_DIR);
      // Before the snapshot is removed.
      return await open({ ...options, database: { kind: 'pglite', dir } }, opened);
    },
    directly: async () => {
      await using opened = new AsyncDisposableStack();
      return await open({ ...options, database: config.database }, opened);
    },
  });
}

/** Resolves when the service has copied its database, with a function that removes the copy. */
async function takeSnapshot(commands: Commands): Promise<() => Promise<void>> {
  const ending = new AbortController();
  const ready = Promise.withResolvers<void>();
  const ended = commands.takeSnapshot(
    {},
    {
      ...UNHEARD,
      note: (line) => {
        if (line === SNAPSHOT_READY) ready.resolve();
      },
      signal: ending.signal,
    },
  );
  ended.catch(ready.reject);
  await ready.promise;
  return async () => {
    ending.abort();
    await ended.catch(() => {});
  };
}

async function open(
  options: { config: Config; database: Config['database']; log: Log },
  opened: AsyncDisposableStack,
): Promise<OpenSource> {
  const { config, log } = options;
  const database = opened.adopt(await connectDatabase({ config: options.database, log }), (it) =>
    it.close(),
  );
  const { blobs } = opened.adopt(await openBlobStore(config.storage), (it) => it.close());
  const session = opened.use(await database.openForMigration());
  if (!(await holdRemoval(session))) {
    throw new BackupError('Another backup of this database is running: wait until it ends.');
  }
  const { dataDir } = config;
  const contents = await openLiveContents({ database, session, blobs, dataDir });
  const parts = opened.move();
  return { contents, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}
