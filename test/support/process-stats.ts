import { readFile, writeFile } from 'node:fs/promises';

/** Linux's USER_HZ, 100 on every architecture that Node runs on. */
const MS_PER_TICK = 10;
const SAMPLE_MS = 20;

const LOOK_MS = 250;
/** Share of one core below which a process counts as idle: timers go on. */
const IDLE_SHARE = 0.04;
const IDLE_LOOKS = 3;
const LONGEST_WAIT_MS = 240_000;

/** Processor time of all threads so far (proc(5), fields 14 and 15 of `stat`). */
export async function cpuMsOf(pid: number): Promise<number> {
  const fields = await statOf(pid);
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}

/** The same of the children that it has waited for (fields 16 and 17). */
export async function cpuMsOfEnded(pid: number): Promise<number> {
  const fields = await statOf(pid);
  return (Number(fields[13]) + Number(fields[14])) * MS_PER_TICK;
}

/** From the third field on. */
async function statOf(pid: number): Promise<readonly string[]> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/**
 * Resolves when the process has done next to nothing for a while: also what it does behind its
 * answers. @throws when it does not come to rest within four minutes.
 */
export async function untilIdle(pid: number): Promise<void> {
  const deadlineMs = performance.now() + LONGEST_WAIT_MS;
  for (let idle = 0; idle < IDLE_LOOKS; ) {
    if (performance.now() > deadlineMs) throw new Error(`process ${pid} does not come to rest`);
    const before = await cpuMsOf(pid);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    idle = (await cpuMsOf(pid)) - before <= LOOK_MS * IDLE_SHARE ? idle + 1 : 0;
  }
}

export async function rssBytesOf(pid: number): Promise<number> {
  return readStatus(pid, 'VmRSS');
}

/** The most memory that the process has held since its start, or since it became another program. */
export async function peakRssBytesOf(pid: number): Promise<number> {
  return readStatus(pid, 'VmHWM');
}

/**
 * The most memory that the process held while `work` ran, by the kernel's own high-water mark. Where
 * that cannot be reset (`clear_refs` needs the right to), by looking every 20 ms.
 */
export async function peakRssBytesDuring(pid: number, work: () => Promise<unknown>) {
  if (await resetPeak(pid)) {
    await work();
    return readStatus(pid, 'VmHWM');
  }
  let peak = await rssBytesOf(pid);
  const sampler = setInterval(async () => {
    peak = Math.max(peak, await rssBytesOf(pid));
  }, SAMPLE_MS);
  try {
    await work();
  } finally {
    clearInterval(sampler);
  }
  return Math.max(peak, await rssBytesOf(pid));
}

async function resetPeak(pid: number): Promise<boolean> {
  try {
    await writeFile(`/proc/${pid}/clear_refs`, '5');
    return true;
  } catch {
    return false;
  }
}

async function readStatus(pid: number, name: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const [, kibibytes] = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status) ?? [];
  if (kibibytes === undefined) throw new Error(`/proc/${pid}/status has no ${name}`);
  return Number(kibibytes) * 1024;
}
