import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const ROOT = '/sys/fs/cgroup';

export interface MemoryLimit {
  /** A process that writes its id here is bound by the limit, and so are its children. */
  readonly procs: string;
  /** How many times the kernel has killed one. */
  kills(): Promise<number>;
  /** What they hold now, besides pages of files that the kernel may drop. */
  heldBytes(): Promise<number>;
  /** Call when no process is left in it. @throws while its last one is not reaped. */
  remove(): void;
}

/**
 * A memory cgroup; null where this user may not make one.
 * @param label Tells the limits apart that this process has at the same time.
 */
export function limitMemory(bytes: number, label = 'test'): MemoryLimit | null {
  const name = `retouch-${label}-${process.pid}`;
  return tryLimit(() => v2(name, bytes)) ?? tryLimit(() => v1(name, bytes));
}

function tryLimit(make: () => MemoryLimit): MemoryLimit | null {
  try {
    return make();
  } catch {
    return null;
  }
}

/** cgroups(7), version 2. Swap would only hide what is too much. */
function v2(name: string, bytes: number): MemoryLimit {
  readFileSync(join(ROOT, 'cgroup.controllers'));
  writeFileSync(join(ROOT, 'cgroup.subtree_control'), '+memory');
  const dir = group(join(ROOT, name), { 'memory.max': bytes });
  tryWrite(join(dir, 'memory.swap.max'), 0);
  return limitOf(dir, 'memory.events', ['anon', 'shmem']);
}

function v1(name: string, bytes: number): MemoryLimit {
  readFileSync(join(ROOT, 'memory', 'memory.limit_in_bytes'));
  const dir = group(join(ROOT, 'memory', name), { 'memory.limit_in_bytes': bytes });
  tryWrite(join(dir, 'memory.memsw.limit_in_bytes'), bytes);
  return limitOf(dir, 'memory.oom_control', ['total_rss', 'total_shmem']);
}

/** @param held The lines of memory.stat that cannot be dropped. */
function limitOf(dir: string, events: string, held: readonly string[]): MemoryLimit {
  return {
    procs: join(dir, 'cgroup.procs'),
    kills: () => sumOf(join(dir, events), ['oom_kill']),
    heldBytes: () => sumOf(join(dir, 'memory.stat'), held),
    remove: () => rmdirSync(dir),
  };
}

function group(dir: string, limits: Record<string, number>): string {
  mkdirSync(dir);
  try {
    for (const [file, value] of Object.entries(limits)) writeFileSync(join(dir, file), `${value}`);
  } catch (error) {
    rmdirSync(dir);
    throw error;
  }
  return dir;
}

function tryWrite(path: string, value: number): void {
  try {
    writeFileSync(path, `${value}`);
  } catch {
    // Swap is not accounted for here.
  }
}

/** Of lines `<name> <number>`. */
async function sumOf(path: string, names: readonly string[]): Promise<number> {
  const lines = (await readFile(path, 'utf8')).split('\n').map((line) => line.split(' '));
  return lines.reduce(
    (sum, [name = '', value]) => sum + (names.includes(name) ? Number(value) : 0),
    0,
  );
}
