import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { type CommandDef, defineCommand, renderUsage, runCommand } from 'citty';
import { progressLines } from '../admin/progress.ts';
import { createLog } from '../log.ts';
import { createBackupCommand } from './backup/backup-command.ts';
import { createCopyCommand } from './backup/copy-command.ts';
import { createRestoreCommand } from './backup/restore-command.ts';
import { createVerifyCommand } from './backup/verify-command.ts';
import type { Cli } from './cli.ts';
import { createDoctorCommand } from './doctor-command.ts';
import { explainError } from './explain-error.ts';
import { createExportCommand } from './export-command.ts';
import { createKeysCommand } from './keys-command.ts';
import { openCommands } from './open-commands.ts';
import { createOwnersCommand } from './owners-command.ts';
import { createProgressBar } from './progress-bar.ts';
import { createRepriceCommand } from './reprice-command.ts';
import { createStartCommand } from './start-command.ts';
import { UsageError } from './usage-error.ts';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/** Where a run of the command line reads and writes. */
export interface CliOptions {
  /** Without the names of the runtime and the script. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Results only. May return a promise of when the next text may come. */
  readonly stdout: (text: string) => unknown;
  readonly stderr: (text: string) => void;
  /** Whether `stderr` is a terminal, on which progress is a bar. @default false */
  readonly isTerminal?: boolean;
  readonly signal: AbortSignal;
}

/**
 * Runs one command and returns its exit status: 0; 1 if it failed, with one sentence on `stderr`; 2
 * for a wrong usage, with the usage on `stderr`.
 */
export async function runCli(options: CliOptions): Promise<number> {
  const { args, env, stdout, stderr, isTerminal = false, signal } = options;
  const bar = isTerminal ? createProgressBar(stderr) : null;
  const note = (line: string) => {
    bar?.clear();
    stderr(`${line}\n`);
  };
  const progress = bar?.progress ?? progressLines(note);
  const log = createLog({
    level: 'warn',
    destination: { write: (line: string) => note(line.trimEnd()) },
  });
  let exitCode = 0;
  const { version } = JSON.parse(
    await readFile(join(import.meta.dirname, '../../package.json'), 'utf8'),
  );
  const print = (text: string) => {
    bar?.clear();
    return stdout(text);
  };
  const writeOut = async (text: string) => void (await print(text));
  const cli: Cli = {
    print: (text) => void print(text),
    note,
    progress,
    log,
    env,
    version,
    signal,
    now: new Date(),
    fail() {
      exitCode = EXIT_FAILED;
    },
    async run(name, input, { write = writeOut } = {}) {
      await using opened = await openCommands({ env, log });
      // Before the database is closed.
      return await opened.commands[name](input, { note, progress, write, signal });
    },
  };
  const root = defineCommand({
    meta: { name: 'retouch', version, description: 'Operate Retouch' },
    subCommands: {
      start: createStartCommand(),
      doctor: createDoctorCommand(cli),
      backup: createBackupCommand(cli),
      restore: createRestoreCommand(cli),
      verify: createVerifyCommand(cli),
      copy: createCopyCommand(cli),
      keys: createKeysCommand(cli),
      owners: createOwnersCommand(cli),
      reprice: createRepriceCommand(cli),
      export: createExportCommand(cli),
    },
  });

  if (args[0] === '--version') {
    stdout(`${version}\n`);
    return 0;
  }
  const usage = async () =>
    `${stripVTControlCharacters(await usageOf(root, args))
      .replaceAll(/ +$/gm, '')
      .trimEnd()}\n`;
  if (args.includes('--help') || args.includes('-h')) {
    stdout(await usage());
    return 0;
  }
  try {
    await runCommand(root, { rawArgs: [...args] });
    return exitCode;
  } catch (error) {
    if (!isUsageError(error)) {
      note(explainError(error));
      return EXIT_FAILED;
    }
    note(`${await usage()}\n${stripVTControlCharacters(error.message).replace(/\.$/, '')}.`);
    return EXIT_USAGE;
  }
}

/** The usage of the command that the arguments name, as far as they name one. */
async function usageOf(root: CommandDef, args: readonly string[]): Promise<string> {
  let command = root;
  let parent: CommandDef | undefined;
  for (const arg of args) {
    const { subCommands } = command;
    if (subCommands === undefined || !Object.hasOwn(subCommands, arg)) break;
    parent = command;
    command = (subCommands as Record<string, CommandDef>)[arg] ?? command;
  }
  // The names of groups contain the name of the program.
  return renderUsage(command, parent === root ? undefined : parent);
}

/** citty does not export the class of its errors. */
function isUsageError(error: unknown): error is Error {
  return error instanceof UsageError || (error instanceof Error && error.name === 'CLIError');
}
