import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

export interface NodeProcess {
  readonly pid: number;
  /** All that it has written so far. */
  readonly output: { stdout: string; stderr: string };
  /** Resolves with the match once standard output has it; rejects when the process ends before. */
  untilStdout(pattern: RegExp): Promise<RegExpExecArray>;
  kill(signal: NodeJS.Signals): void;
  /** Resolves when it has ended and all its output was read. */
  readonly ended: Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }>;
}

/** This very Node with `args`, and no variable but `env`. It is killed when the test ends. */
export function startNode(
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): NodeProcess {
  const { cwd, env = {} } = options;
  const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const { pid, stdout, stderr } = child;
  if (pid === undefined) throw new Error('the process did not start');
  const output = { stdout: '', stderr: '' };
  stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  const ended = end(child);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return {
    pid,
    output,
    ended,
    kill: (signal) => child.kill(signal),
    async untilStdout(pattern) {
      for (;;) {
        const match = pattern.exec(output.stdout);
        if (match) return match;
        if (stdout.readableEnded) throw new Error(`the process ended:\n${output.stderr}`);
        await Promise.race([once(stdout, 'data'), once(stdout, 'end')]);
      }
    },
  };
}

async function end(child: ChildProcess) {
  await once(child, 'close');
  return { exitCode: child.exitCode, signal: child.signalCode };
}
