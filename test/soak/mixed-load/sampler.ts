import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { rssBytesOf } from '../../support/process-stats.ts';
import { median } from '../../support/report.ts';
import { showMb } from '../figures.ts';
import type { LimitedServices } from './services.ts';

const EVERY_MS = 100;
const MINUTE_MS = 60_000;

/** Open ones, of all processes together. */
export interface Descriptors {
  readonly sockets: number;
  /** Files, pipes and whatever else. */
  readonly others: number;
}

interface Sample {
  readonly atMs: number;
  /** By the names of processes. */
  readonly bytes: Readonly<Record<string, number>>;
  readonly open: Descriptors;
  /** Counters of the load. */
  readonly counts: Readonly<Record<string, number>>;
}

export interface Sampler {
  /** Of the samples from one minute to another, since the start. */
  medianBytes(name: string, fromMinute: number, toMinute: number): number;
  peakBytes(name: string): number;
  /** Median of the descriptors that are no sockets. */
  medianOthers(fromMinute: number, toMinute: number): number;
  readonly names: readonly string[];
  stop(): void;
  /** A line for each minute. */
  table(): string;
}

/** Looks every 100 ms: at what the kernel holds for each process, and at the load's counters. */
export function startSampler(
  { processes, postgres }: LimitedServices,
  counts: () => Record<string, number>,
): Sampler {
  const startedMs = performance.now();
  const samples: Sample[] = [];
  let failure: unknown;

  async function look(): Promise<void> {
    const bytes: Record<string, number> = {};
    for (const { name, pid } of processes) bytes[name] = await rssBytesOf(pid);
    if (postgres) bytes['postgres'] = await postgres.heldBytes();
    const atMs = performance.now() - startedMs;
    samples.push({ atMs, bytes, open: await descriptorsOf(processes), counts: counts() });
  }
  let looking = Promise.resolve();
  const timer = setInterval(() => {
    looking = looking.then(look).catch((error) => {
      failure ??= error;
    });
  }, EVERY_MS);

  const between = (from: number, to: number) =>
    samples.filter(({ atMs }) => atMs >= from * MINUTE_MS && atMs < to * MINUTE_MS);
  const names = [...processes.map(({ name }) => name), ...(postgres ? ['postgres'] : [])];
  const valuesOf = (some: readonly Sample[], name: string) =>
    some.map(({ bytes }) => bytes[name] ?? 0);

  return {
    names,
    medianBytes: (name, from, to) => median(valuesOf(between(from, to), name)),
    peakBytes: (name) => Math.max(...valuesOf(samples, name)),
    medianOthers: (from, to) => median(between(from, to).map(({ open }) => open.others)),
    stop() {
      clearInterval(timer);
      if (failure !== undefined) throw failure;
    },
    table() {
      const minutes = Math.ceil((samples.at(-1)?.atMs ?? 0) / MINUTE_MS);
      const labels = Object.keys(samples[0]?.counts ?? {});
      const lines = [
        ['minute', ...names.flatMap((name) => [name, 'peak']), 'sockets', 'others', ...labels],
      ];
      let before = samples[0]?.counts ?? {};
      for (let minute = 0; minute < minutes; minute += 1) {
        const some = between(minute, minute + 1);
        const last = some.at(-1)?.counts ?? before;
        lines.push([
          `${minute + 1}`,
          ...names.flatMap((name) => [
            showMb(median(valuesOf(some, name))),
            showMb(Math.max(...valuesOf(some, name))),
          ]),
          `${Math.max(...some.map(({ open }) => open.sockets))}`,
          `${Math.max(...some.map(({ open }) => open.others))}`,
          ...labels.map((label) => `${(last[label] ?? 0) - (before[label] ?? 0)}`),
        ]);
        before = last;
      }
      return lines.map((line) => line.map((cell) => cell.padStart(11)).join(' ')).join('\n');
    },
  };
}

export async function descriptorsOf(processes: LimitedServices['processes']): Promise<Descriptors> {
  const all = await Promise.all(processes.map(({ pid }) => targetsOf(`/proc/${pid}/fd`)));
  const sockets = all.flat().filter((target) => target.startsWith('socket:')).length;
  return { sockets, others: all.flat().length - sockets };
}

async function targetsOf(dir: string): Promise<string[]> {
  const names = await readdir(dir);
  // One that was closed meanwhile counts, too: it was open.
  return Promise.all(names.map((name) => readlink(join(dir, name)).catch(() => '')));
}
