import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Commands } from '../admin/commands/commands.ts';
import { openDirectCommands } from '../admin/commands/open-direct-commands.ts';
import { connectCommands } from '../admin/socket/socket-commands.ts';
import { SOCKET_NAME } from '../admin/socket/socket-path.ts';
import { createExportHistory } from '../app/export-history.ts';
import { explainStart, withoutCloseErrors } from '../app/start-failure.ts';
import { type Config, loadConfig } from '../config/config.ts';
import { DataDirInUseError } from '../database/data-dir-lock.ts';
import type { Log } from '../log.ts';

/** How long to wait for a service that is starting: it holds DATA_DIR before its socket is open. */
const PATIENCE_MS = 15_000;
const RETRY_MS = 250;

/** The commands on the data of the settings. */
export interface OpenCommands extends AsyncDisposable {
  readonly commands: Commands;
}

/**
 * With DATABASE_URL, or if no service runs on DATA_DIR, this process opens the database. Otherwise
 * the running service runs the commands.
 * @throws ConfigError or StartError
 */
export async function openCommands(options: {
  env: Readonly<Record<string, string | undefined>>;
  /** For warnings of the database. */
  log: Log;
}): Promise<OpenCommands> {
  const { env, log } = options;
  const config = loadConfig(env);
  return reachData(config, {
    byService: async (commands) => disposable({ commands, close: async () => {} }),
    directly: async () =>
      disposable(await openDirectCommands({ config, createExportHistory, log })),
  });
}

/**
 * Reaches the data by the service that runs on the embedded database, or directly.
 * @throws ConfigError or StartError
 */
export async function reachData<Opened>(
  config: Config,
  how: {
    byService: (commands: Commands) => Promise<Opened>;
    directly: () => Promise<Opened>;
  },
): Promise<Opened> {
  const { database } = config;
  if (database.kind === 'postgres') return explained(config, how.directly);
  const deadlineMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const commands = await connectCommands(join(database.dir, SOCKET_NAME));
    if (commands !== null) return how.byService(commands);
    try {
      return await explained(config, how.directly);
    } catch (error) {
      if (!(error instanceof DataDirInUseError) || performance.now() > deadlineMs) throw error;
      await delay(RETRY_MS);
    }
  }
}

function disposable(opened: { commands: Commands; close(): Promise<void> }): OpenCommands {
  return { commands: opened.commands, [Symbol.asyncDispose]: opened.close };
}

export async function explained<Opened>(
  config: Config,
  open: () => Promise<Opened>,
): Promise<Opened> {
  try {
    return await open();
  } catch (error) {
    throw explainStart(
      withoutCloseErrors(error, () => {}),
      config,
    );
  }
}
