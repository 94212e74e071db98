import type { Config } from '../config/config.ts';
import { openDatabase } from '../database/open-database.ts';
import type { Log } from '../log.ts';
import { createEvents } from '../queue/events.ts';
import type { Commands } from './commands.ts';
import { createCommands } from './create-commands.ts';

/**
 * The commands on a database that this process opens, migrated as at the start of the service.
 * @throws StartError or ConfigError, also when another process uses the embedded database.
 */
export async function openDirectCommands(options: {
  config: Config;
  log: Log;
}): Promise<{ commands: Commands; close(): Promise<void> }> {
  const { config, log } = options;
  const { database, close } = await openDatabase({ config: config.database, log });
  // It publishes to the running processes, and listens to none.
  const events = createEvents({ database, log });
  return { commands: createCommands({ prisma: database.prisma, events }), close };
}
