import type { RestoreTarget } from '../../admin/backup/restore.ts';
import type { Config } from '../../config/config.ts';
import { makeDirectory } from '../../config/data-dir/durable-files.ts';
import { connectDatabase } from '../../database/open-database.ts';
import { openBlobStore } from '../../images/storage/open-blob-store.ts';
import type { Log } from '../../log.ts';
import { explained } from '../open-commands.ts';

/** An installation to write to, as it is. @throws ConfigError or StartError */
export async function openTarget(options: {
  config: Config;
  log: Log;
}): Promise<AsyncDisposable & RestoreTarget> {
  const { config, log } = options;
  const { dataDir } = config;
  return explained(config, async () => {
    await using opened = new AsyncDisposableStack();
    await makeDirectory(dataDir);
    const database = opened.adopt(await connectDatabase({ config: config.database, log }), (it) =>
      it.close(),
    );
    const { blobs } = opened.adopt(await openBlobStore(config.storage), (it) => it.close());
    const parts = opened.move();
    return { database, blobs, dataDir, [Symbol.asyncDispose]: () => parts.disposeAsync() };
  });
}
