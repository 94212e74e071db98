import type {
  CommandInput,
  CommandName,
  CommandResult,
  CommandRun,
  Commands,
} from '../admin/commands.ts';
import { openDirectCommands } from '../admin/open-direct-commands.ts';
import { explainStart, withoutCloseErrors } from '../app/start-failure.ts';
import { type Config, loadConfig } from '../config/config.ts';
import { createLog } from '../log.ts';

/** The commands on the data of the settings. */
export interface OpenCommands extends AsyncDisposable {
  run<Name extends CommandName>(
    name: Name,
    input: CommandInput<Name>,
    run: CommandRun,
  ): Promise<CommandResult<Name>>;
}

/**
 * Opens the database of the settings.
 * @throws ConfigError or StartError
 */
export async function openCommands(options: {
  env: Readonly<Record<string, string | undefined>>;
  note: (line: string) => void;
}): Promise<OpenCommands> {
  const config = loadConfig(options.env);
  const log = createLog({
    level: 'warn',
    destination: { write: (line: string) => options.note(line.trimEnd()) },
  });
  const { commands, close } = await explained(config, () => openDirectCommands({ config, log }));
  return {
    run: (name, input, run) => callCommand(commands, name, input, run),
    [Symbol.asyncDispose]: close,
  };
}

function callCommand<Name extends CommandName>(
  commands: Commands,
  name: Name,
  input: CommandInput<Name>,
  run: CommandRun,
): Promise<CommandResult<Name>> {
  return commands[name](input, run);
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
