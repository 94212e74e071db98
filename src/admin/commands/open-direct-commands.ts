import type { Config } from '../../config/config.ts';
import { openDatabase } from '../../database/open-database.ts';
import { openBlobStore } from '../../images/storage/open-blob-store.ts';
import type { Log } from '../../log.ts';
import { createEvents } from '../../queue/events.ts';
import type { Commands } from './commands.ts';
import { createCommands } from './create-commands.ts';

/**
 * The commands on a database and a blob store that this process opens. The database is migrated, as
 * at the start of the service.
 * @throws StartError or ConfigError, also when another process uses the embedded database.
 */
export async function openDirectCommands(options: {
  config: Config;
  log: Log;
}): Promise<{ commands: Commands; close(): Promise<void> }> {
  const { config, log } = options;
  await using opened = new AsyncDisposableStack();
  const { database } = opened.adopt(await openDatabase({ config: config.database, log }), (it) =>
    it.close(),
  );
  const { blobs } = opened.adopt(await openBlobStore(config.storage), (it) => it.close());
  // It publishes to the running processes, and listens to none.
  const events = createEvents({ database, log });
  const commands = createCommands({ prisma: database.prisma, events, blobs });
  const parts = opened.move();
  return { commands, close: () => parts.disposeAsync() };
}
