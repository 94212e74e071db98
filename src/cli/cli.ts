import type { CommandInput, CommandName, CommandResult } from '../admin/commands/commands.ts';

/** What the commands of the command line use. */
export interface Cli {
  /** Runs a command where the data is. Prints its progress. */
  run<Name extends CommandName>(
    name: Name,
    input: CommandInput<Name>,
  ): Promise<CommandResult<Name>>;
  /** Prints a result on standard output. */
  print(text: string): void;
  /** Prints a line for a person on standard error. */
  note(line: string): void;
  /** Ends the command with the exit status 1 although it has printed its result. */
  fail(): void;
  /** Aborts when the command is interrupted. */
  readonly signal: AbortSignal;
  readonly now: Date;
  readonly env: Readonly<Record<string, string | undefined>>;
}
