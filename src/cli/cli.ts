import type {
  CommandInput,
  CommandName,
  CommandResult,
  CommandRun,
} from '../admin/commands/commands.ts';
import type { Progress } from '../admin/progress.ts';
import type { Log } from '../log.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What the commands of the command line use. */
export interface Cli {
  /** Runs a command where the data is. Prints its progress. */
  run<Name extends CommandName>(
    name: Name,
    input: CommandInput<Name>,
    options?: {
      /** Gets the text that the command writes, part by part. @default standard output */
      readonly write?: CommandRun['write'];
    },
  ): Promise<CommandResult<Name>>;
  /** Prints a result on standard output. */
  print(text: string): void;
  /** Prints a line for a person on standard error. */
  note(line: string): void;
  /** Ends the command with the exit status 1 although it has printed its result. */
  fail(): void;
  /** Shows how far a command of this process is. */
  readonly progress: Progress;
  /** For errors and warnings of what this process opens. */
  readonly log: Log;
  readonly env: Environment;
  /** Of this release. */
  readonly version: string;
  /** Aborts when the command is interrupted. */
  readonly signal: AbortSignal;
  readonly now: Date;
}
