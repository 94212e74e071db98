import { fileURLToPath } from 'node:url';
import { cpuMsOf, peakRssBytesOf } from '../../test/support/process-stats.ts';
import { run, type Spawned, startService } from '../../test/support/processes.ts';

const BARE = fileURLToPath(new URL('./bare.js', import.meta.url));

/** A process that has started, and what that took until it was ready. */
export interface Started {
  readonly pid: number;
  readonly readyMs: number;
  /** Of all its threads. */
  readonly cpuMs: number;
  readonly peakBytes: number;
  /** SIGTERM; resolves when it is gone. */
  stop(): Promise<void>;
}

export interface StartedService extends Started {
  readonly url: string;
}

/** PGlite in `dir`, which has answered one statement. */
export async function startBare(dir: string): Promise<Started> {
  const startedMs = performance.now();
  const spawned = run([BARE, dir], {});
  await spawned.line((line) => line === 'ready');
  return { ...(await measure(spawned, startedMs)), stop: () => stop(spawned) };
}

/** The service, as `npm start` runs it. @param cgroup The file cgroup.procs of its cgroup. */
export async function startRetouch(
  env: Record<string, string>,
  cgroup?: string,
): Promise<StartedService> {
  const startedMs = performance.now();
  const service = await startService(env, () => {}, cgroup);
  const { url } = service;
  return { ...(await measure(service, startedMs)), url, stop: () => stop(service) };
}

async function measure({ child }: Spawned, startedMs: number) {
  const readyMs = performance.now() - startedMs;
  const { pid = 0 } = child;
  const [cpuMs, peakBytes] = await Promise.all([cpuMsOf(pid), peakRssBytesOf(pid)]);
  return { pid, readyMs, cpuMs, peakBytes };
}

async function stop({ child, exited, lines }: Spawned): Promise<void> {
  child.kill('SIGTERM');
  const exitCode = await exited;
  if (exitCode !== 0) throw new Error(`it ended with ${exitCode}:\n${lines.slice(-20).join('\n')}`);
}
