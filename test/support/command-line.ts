import { runCli } from '../../src/cli/run-cli.ts';

export interface CommandOutput {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

type Environment = Record<string, string>;

/** Runs a command line in this process, with no variable but `env`. */
export const runCommandLine = (env: Environment, ...args: string[]) => run({ env, args });

/** The same, whose standard error is a terminal. */
export const runOnTerminal = (env: Environment, ...args: string[]) =>
  run({ env, args, isTerminal: true });

async function run(options: {
  env: Environment;
  args: readonly string[];
  isTerminal?: boolean;
}): Promise<CommandOutput> {
  let stdout = '';
  let stderr = '';
  const exitCode = await runCli({
    ...options,
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    signal: new AbortController().signal,
  });
  return { exitCode, stdout, stderr };
}
