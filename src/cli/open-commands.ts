import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Commands } from '../admin/commands/commands.ts';
import { openDirectCommands } from '../admin/commands/open-direct-commands.ts';
import { connectCommands } from '../admin/socket/socket-commands.ts';
import { SOCKET_NAME } from '../admin/socket/socket-path.ts';
import { explainStart, withoutCloseErrors } from '../app/start-failure.ts';
import { type Config, loadConfig } from '../config/config.ts';
import { DataDirInUseError } from '../database/data-dir-lock.ts';
import { createLog } from '../log.ts';

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
  note: (line: string) => void;
}): Promise<OpenCommands> {
  const config = loadConfig(options.env);
  const log = createLog({
    level: 'warn',
    destination: { write: (line: string) => options.note(line.trimEnd()) },
  });
  const direct = () => explained(config, () => openDirectCommands({ config, log }));
  const { database } = config;
  if (database.kind === 'postgres') return disposable(await direct());

  const deadlineMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const commands = await connectCommands(join(database.dir, SOCKET_NAME));
    if (commands !== null) return disposable({ commands, close: async () => {} });
    try {
      return disposable(await direct());
    } catch (error) {
      if (!(error instanceof DataDirInUseError) || performance.now() > deadlineMs) throw error;
      await delay(RETRY_MS);
    }
  }
}

function disposable(opened: { commands: Commands; close(): Promise<void> }): OpenCommands {
  return { commands: opened.commands, [Symbol.asyncDispose]: opened.close };
}

async function explained<Opened>(config: Config, open: () => Promise<Opened>): Promise<Opened> {
  try {
    return await open();
  } catch (error) {
    throw explainStart(
      withoutCloseErrors(error, () => {}),
      config,
    );
  }
}
