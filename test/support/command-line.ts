import { runCli } from '../../src/cli/run-cli.ts';

export interface CommandOutput {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line in this process, with no variable but `env`. */
export async function runCommandLine(
  env: Record<string, string>,
  ...args: string[]
): Promise<CommandOutput> {
  let stdout = '';
  let stderr = '';
  const exitCode = await runCli({
    args,
    env,
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
