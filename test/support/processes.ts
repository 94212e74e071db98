import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { FaultInput } from '../../src/sandbox/faults.ts';
import type { SandboxStats } from '../../src/sandbox/stats.ts';

const pathOf = (module: string) => fileURLToPath(new URL(`../../src/${module}`, import.meta.url));
const START = pathOf('app/start.ts');
const SANDBOX = pathOf('sandbox/standalone.ts');

/** A process that writes lines to its standard output, and how it ends. */
export interface Spawned {
  readonly child: ChildProcess;
  /** All lines so far. */
  readonly lines: readonly string[];
  /** Resolves with the first line that matches, also one that came before; rejects at the end. */
  line(matches: (line: string) => boolean): Promise<string>;
  /** Resolves with the exit code; null when a signal ended it. */
  readonly exited: Promise<number | null>;
  /** SIGKILL; resolves when the process is gone. Idempotent. */
  kill(): Promise<void>;
}

/** Told of a process as soon as there is one, so that it can be ended although it is never ready. */
type OnSpawned = (spawned: Spawned) => void;

/** Enters the cgroup whose file its first argument is, and becomes the command that follows. */
const IN_CGROUP = ['/bin/sh', '-c', 'echo $$ > "$0" && exec "$@"'];

/**
 * This very Node. No variable but PATH and `env` is set.
 * @param cgroup The file cgroup.procs of the one that it is to run in.
 */
export function run(
  args: string[],
  env: Record<string, string>,
  { cwd, cgroup }: { cwd?: string | undefined; cgroup?: string | undefined } = {},
): Spawned {
  const launcher = cgroup === undefined ? [] : [...IN_CGROUP, cgroup];
  const node = [process.execPath, '--disable-warning=ExperimentalWarning'];
  return spawnCommand(
    [...launcher, ...node, ...args],
    { PATH: process.env['PATH'] ?? '', ...env },
    cwd,
  );
}

/** A program with its arguments. No variable but `env` is set. */
export function spawnCommand(
  [command = '', ...args]: readonly string[],
  env: Record<string, string>,
  cwd?: string | undefined,
): Spawned {
  const child = spawn(command, args, {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const watchers = new Set<(line: string | null) => void>();
  const hear = (line: string | null) => {
    if (line !== null) lines.push(line);
    for (const watch of watchers) watch(line);
  };
  const exited = once(child, 'close').then(([code]) => {
    hear(null);
    return code as number | null;
  });
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', hear);
  }
  return {
    child,
    lines,
    exited,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    line(matches) {
      const before = lines.find(matches);
      if (before !== undefined) return Promise.resolve(before);
      return new Promise((resolve, reject) => {
        const watch = (line: string | null) => {
          if (line !== null && !matches(line)) return;
          watchers.delete(watch);
          if (line === null)
            reject(new Error(`the process ended:\n${lines.slice(-30).join('\n')}`));
          else resolve(line);
        };
        watchers.add(watch);
        if (child.exitCode !== null || child.signalCode !== null) watch(null);
      });
    },
  };
}

export interface ServiceProcess extends Spawned {
  readonly url: string;
  /** SIGTERM; answers the exit code. */
  stop(): Promise<number | null>;
}

/** The service as `npm start` runs it, in a process of its own. */
export function spawnService(env: Record<string, string>, cgroup?: string): Spawned {
  return run([START], { PORT: '0', LOG_LEVEL: 'info', ...env }, { cgroup });
}

/** Resolves when it is ready. */
export async function startService(
  env: Record<string, string>,
  onSpawned: OnSpawned = () => {},
  cgroup?: string,
): Promise<ServiceProcess> {
  const spawned = spawnService(env, cgroup);
  onSpawned(spawned);
  const ready = await spawned.line((line) => line.includes('"msg":"ready"'));
  return {
    ...spawned,
    url: JSON.parse(ready).url,
    stop() {
      spawned.child.kill('SIGTERM');
      return spawned.exited;
    },
  };
}

/** The edits API in a process of its own, which counts what it is paid for. */
export interface SandboxProcess {
  /** Ends in /v1. */
  readonly url: string;
  stats(): Promise<SandboxStats>;
  push(...faults: FaultInput[]): Promise<void>;
  clearFaults(): Promise<void>;
  stop(): Promise<void>;
}

export async function startSandboxProcess(
  /** `fixedOutputBytes: null`: it draws images, from its inputs and of the size asked for. */
  options: { delayMs?: number; fixedOutputBytes?: number | null } = {},
  onSpawned: OnSpawned = () => {},
): Promise<SandboxProcess> {
  const { delayMs = 0, fixedOutputBytes = 20_000 } = options;
  const fixed = fixedOutputBytes === null ? [] : ['--fixed-output-bytes', `${fixedOutputBytes}`];
  const spawned = run([SANDBOX, '--delay-ms', `${delayMs}`, ...fixed], {});
  onSpawned(spawned);
  const { url } = JSON.parse(await spawned.line((text) => text.startsWith('{"url"')));
  const request = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(new URL(path, url), init);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response;
  };
  return {
    url,
    stats: async () => (await request('/sandbox/stats')).json() as Promise<SandboxStats>,
    async push(...faults) {
      const headers = { 'content-type': 'application/json' };
      await request('/sandbox/faults', { method: 'POST', headers, body: JSON.stringify(faults) });
    },
    async clearFaults() {
      await request('/sandbox/faults', { method: 'DELETE' });
    },
    stop: spawned.kill,
  };
}
