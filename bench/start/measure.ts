import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { limitMemory, type MemoryLimit } from '../../test/support/memory-limit.ts';
import { peakRssBytesOf, rssBytesOf, untilIdle } from '../../test/support/process-stats.ts';
import type { Load } from '../forward/load.ts';
import { showGallery } from './gallery.ts';
import { type Started, type StartedService, startBare, startRetouch } from './starts.ts';

/** What a small server gives, 512 MiB less what its system takes. */
export const LIMIT_BYTES = 512_000_000;
const IDLE_MS = 30_000;
const EDITS = { edits: 4, concurrency: 2, n: 1 };

/** What is sent to a service that has started. */
export interface Work {
  readonly load: Load;
  readonly gallery: readonly Buffer[];
}

/** A start, and the memory at rest and under load after it. */
export interface Figures extends Pick<Started, 'readyMs' | 'cpuMs'> {
  /** Until the process is at rest. */
  readonly peakBytes: number;
  readonly freshBytes: number;
  readonly loadPeakBytes: number;
  readonly warmBytes: number;
  /** `idleMs` later: V8 gives memory back when a process has been idle for a while. */
  readonly idleBytes: number;
}

/** An empty directory's first start, and the next: PGlite by itself. */
export async function measureBare(): Promise<{ first: Started; later: Started }> {
  return inDirectory(async (dir) => {
    const first = await startBare(join(dir, 'postgres'));
    await first.stop();
    const later = await startBare(join(dir, 'postgres'));
    await later.stop();
    return { first, later };
  });
}

/**
 * The service on an empty directory and again, with its work, within the limit of memory. If the
 * limit kills it, its figures are those without a limit.
 */
export async function measureEmbedded(env: Record<string, string>, work: Work) {
  const limit = limitMemory(LIMIT_BYTES);
  try {
    const { kills, figures } = await withinLimit(limit, () => twoStarts(env, work, limit?.procs));
    return { ...(figures ?? (await twoStarts(env, work))), isLimited: limit !== null, kills };
  } finally {
    limit?.remove();
  }
}

async function twoStarts(env: Record<string, string>, work: Work, cgroup?: string) {
  return inDirectory(async (dir) => {
    const start = () => startRetouch({ ...env, DATA_DIR: dir }, cgroup);
    const first = await figuresOf(await start(), editsAndGallery(work));
    const idleMs = IDLE_MS;
    return { first, later: await figuresOf(await start(), editsAndGallery(work), { idleMs }) };
  });
}

/** No figures if the kernel ended a process for its memory. */
async function withinLimit<Result>(limit: MemoryLimit | null, work: () => Promise<Result>) {
  const kills = async () => (await limit?.kills()) ?? 0;
  try {
    return { figures: await work(), kills: await kills() };
  } catch (error) {
    if ((await kills()) === 0) throw error;
    return { figures: null, kills: await kills() };
  }
}

/** So that no start that is measured has to. */
export async function createTables(env: Record<string, string>): Promise<void> {
  await inDirectory(async (dir) => (await startRetouch({ ...env, DATA_DIR: dir })).stop());
}

/** A later start on a Postgres server that has our tables. */
export async function measureOnServer(env: Record<string, string>, work: Work) {
  return inDirectory(async (dir) => {
    const all = await startRetouch({ ...env, DATA_DIR: dir });
    const api = { ...env, DATA_DIR: dir, ROLE: 'api' };
    return {
      all: await figuresOf(all, editsAndGallery(work)),
      api: await figuresOf(await startRetouch(api), ({ url }) => showGallery(url, work.gallery)),
    };
  });
}

const editsAndGallery =
  ({ load, gallery }: Work) =>
  async ({ url }: StartedService) => {
    await load.run(url, EDITS);
    await showGallery(url, gallery);
  };

/** Stops the service in the end. */
async function figuresOf(
  service: StartedService,
  work: (service: StartedService) => Promise<void>,
  { idleMs = 0 } = {},
): Promise<Figures> {
  const { pid, readyMs, cpuMs } = service;
  await untilIdle(pid);
  const peakBytes = await peakRssBytesOf(pid);
  const freshBytes = await rssBytesOf(pid);
  await work(service);
  await untilIdle(pid);
  const loadPeakBytes = await peakRssBytesOf(pid);
  const warmBytes = await rssBytesOf(pid);
  await delay(idleMs);
  const idleBytes = await rssBytesOf(pid);
  await service.stop();
  return { readyMs, cpuMs, peakBytes, freshBytes, loadPeakBytes, warmBytes, idleBytes };
}

async function inDirectory<Result>(work: (dir: string) => Promise<Result>): Promise<Result> {
  const dir = await mkdtemp(join(tmpdir(), 'retouch-bench-'));
  try {
    return await work(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
