import { join } from 'node:path';
import { isAuthOn } from '../../config/auth-settings.ts';
import type { Config } from '../../config/config.ts';
import { openSecretKeys } from '../../config/secret-key.ts';
import { openDatabase } from '../../database/open-database.ts';
import { openBlobStore } from '../../images/storage/open-blob-store.ts';
import type { Log } from '../../log.ts';
import { readConfiguredModels } from '../../models/models.ts';
import { createPriceTable } from '../../models/prices.ts';
import { createImageLinks } from '../../public-ids/image-links.ts';
import { createEvents } from '../../queue/events.ts';
import type { Commands } from './commands.ts';
import { createCommands } from './create-commands.ts';
import type { CreateExportHistory } from './history.ts';

/**
 * The commands on a database and a blob store that this process opens. The database is migrated, as
 * at the start of the service.
 * @throws StartError or ConfigError, also when another process uses the embedded database.
 */
export async function openDirectCommands(options: {
  config: Config;
  createExportHistory: CreateExportHistory;
  log: Log;
}): Promise<{ commands: Commands; close(): Promise<void> }> {
  const { config, createExportHistory, log } = options;
  const { auth, dataDir } = config;
  const knownModels = await readConfiguredModels(config);
  await using opened = new AsyncDisposableStack();
  const { database } = opened.adopt(await openDatabase({ config: config.database, log }), (it) =>
    it.close(),
  );
  const { blobs } = opened.adopt(await openBlobStore(config.storage), (it) => it.close());
  // It publishes to the running processes, and listens to none.
  const events = createEvents({ database, log });
  const secretKeys = await openSecretKeys({
    configured: config.secretKey,
    file: database.kind === 'pglite' ? join(dataDir, 'secret.key') : null,
    previous: config.previousSecretKeys,
  });
  const commands = createCommands({
    database,
    events,
    blobs,
    dataDir,
    prices: createPriceTable((model) => knownModels.get(model).prices),
    imageLinks: createImageLinks({
      keys: isAuthOn(auth) ? secretKeys : null,
      lastingSeconds: config.signedLinkSeconds,
    }),
    createExportHistory,
  });
  const parts = opened.move();
  return { commands, close: () => parts.disposeAsync() };
}
