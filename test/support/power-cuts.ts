import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { expect, onTestFinished, vi } from 'vitest';
import { startApp } from '../../src/app/app.ts';
import { loadConfig } from '../../src/config/config.ts';
import type { PrismaClient } from '../../src/database/database.ts';
import { openPglite } from '../../src/database/pglite.ts';
import { blobKey } from '../../src/images/storage/blob-key.ts';
import { createLog } from '../../src/log.ts';
import { createSandbox } from '../../src/sandbox/sandbox.ts';
import { createTestDatabase } from './database.ts';
import { createGraphqlClient } from './graphql-client.ts';
import { seededRandom } from './random.ts';
import { noisePng } from './test-images.ts';
import { keepUnsynced, type UnsyncedDisk } from './unsynced-disk.ts';

/** Edits at once, and how many operations of the disk lie between two cuts at most. */
const CLIENTS = 3;
const MAX_OPERATIONS = 300;

const log = createLog({ level: 'error' });

/** What a client was told of an edit, and so must outlast every cut after it. */
interface Told {
  readonly id: string;
  readonly status: string;
  readonly inputSha256: string;
}

/**
 * The whole service, under edits, on a disk that forgets; the power is cut `cuts` times at random
 * moments. What is left each time is opened as a start does, and must hold what clients were told.
 */
export async function cutPower({ cuts, seed }: { cuts: number; seed: number }): Promise<void> {
  const random = seededRandom(seed);
  const { disk, dir, service, pglite, faults } = await startOnUnsyncedDisk();
  const told: Told[] = [];
  const shared = createGraphqlClient(() => service.url);
  let isOver = false;
  /** Clients wait for it: what is left of one cut is looked at before they go on to the next. */
  let looked = Promise.resolve();

  async function sendEdits(): Promise<void> {
    for (; !isOver; await looked) {
      const png = await noisePng(2_000 + Math.floor(random() * 40_000));
      const choice = random();
      // Paid, and of no use: its answer is kept for a look.
      if (choice < 0.15) faults.push({ kind: 'truncate' });
      if (choice > 0.85) await pglite.exec('CHECKPOINT');
      if (choice > 0.95) await pglite.exec('SELECT pg_switch_wal()');
      const input = { prompt: `prompt ${random()}`, wait: choice < 0.7 ? 30 : 0 };
      // Rejected is not acknowledged: a cut, and what is opened after it, hold this thread.
      const payload = await shared.editUpload(png, input).catch(() => null);
      if (payload === null) continue;
      const { editJob } = payload;
      const inputSha256 = createHash('sha256').update(png).digest('hex');
      told.push({ id: editJob.id, status: editJob.status, inputSha256 });
    }
  }

  const clients = Promise.all(Array.from({ length: CLIENTS }, sendEdits));
  try {
    for (let cut = 0; cut < cuts; cut += 1) {
      const target = join(dir, `cut-${cut}`);
      const survives = await Promise.race([
        clients.then(() => []),
        cutAfter(disk, 1 + Math.floor(random() * MAX_OPERATIONS), () => {
          disk.cut(target, random);
          return [...told];
        }),
      ]);
      looked = expectAll(target, survives, `seed ${seed}, cut ${cut}`);
      await looked;
      await rm(target, { recursive: true });
    }
  } finally {
    isOver = true;
    await clients.catch(() => undefined);
  }
  expect(told.length).toBeGreaterThan(0);
}

function cutAfter<Result>(disk: UnsyncedDisk, operations: number, cut: () => Result) {
  return new Promise<Result>((resolve, reject) => {
    let left = operations;
    disk.onOperation = () => {
      left -= 1;
      if (left > 0) return;
      disk.onOperation = null;
      try {
        resolve(cut());
      } catch (error) {
        reject(error);
      }
    };
  });
}

async function startOnUnsyncedDisk() {
  const dir = await mkdtemp(join(tmpdir(), 'retouch-power-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const [dataDir, shadow] = [join(dir, 'data'), join(dir, 'shadow')];
  const template = await createTestDatabase();
  await cp(template.dir, dataDir, { recursive: true });
  await template.drop();
  // template1 and template0, which nobody opens, are two thirds of the files.
  for (const oid of ['1', '4']) await rm(join(dataDir, 'postgres/base', oid), { recursive: true });
  await mkdir(shadow);
  const disk = keepUnsynced(dataDir, shadow);
  onTestFinished(disk.stop);
  const sandbox = createSandbox({ delayMs: 0 });
  const { url } = await sandbox.start();
  onTestFinished(() => sandbox.stop());
  const opened = vi.spyOn(PGlite, 'create');
  const service = await startApp({
    config: loadConfig({
      PORT: '0',
      DATA_DIR: dataDir,
      EDITS_API_URL: url,
      EDITS_API_KEY: 'sk-test-canary',
      MAX_EDIT_ATTEMPTS: '1',
    }),
    log: createLog({ level: 'fatal' }),
  });
  onTestFinished(() => service.stop());
  const pglite = await opened.mock.results[0]?.value;
  opened.mockRestore();
  return { disk, dir, service, pglite: pglite as PGlite, faults: sandbox.faults };
}

async function expectAll(dir: string, told: readonly Told[], where: string): Promise<void> {
  const database = await openPglite({ dir, log }).catch((cause) => {
    throw new Error(`${where}: the database does not open`, { cause });
  });
  try {
    const { prisma } = database;
    for (const one of told) await expectTold(prisma, dir, one, where);
    await expectWhole(prisma, dir, where);
  } finally {
    await database.close();
  }
}

/** The edit as its client knows it, or further on. */
async function expectTold(prisma: PrismaClient, dir: string, told: Told, where: string) {
  const id = Buffer.from(told.id, 'base64').toString().split(':').at(-1) ?? '';
  const job = await prisma.editJob.findUnique({
    where: { id },
    include: { attempts: true, charges: true, images: { include: { image: true } } },
  });
  const about = `${where}, edit ${id}, told ${told.status}`;
  const inputs = job?.images.filter(({ role }) => role === 'INPUT');
  expect(
    inputs?.map(({ image }) => image.sha256),
    about,
  ).toEqual([told.inputSha256]);
  if (told.status === 'QUEUED' || told.status === 'RUNNING') return;
  expect(job?.status, about).toBe(told.status);
  const [attempt] = job?.attempts ?? [];
  if (told.status === 'SUCCEEDED') {
    expect(attempt?.state, about).toBe('SUCCEEDED');
    expect(job?.charges.length, about).toBe(1);
    expect(job?.images.filter(({ role }) => role === 'OUTPUT').length, about).toBe(1);
  } else {
    const name = join('answers', String(attempt?.id));
    // The next start moves what it finds among the blobs.
    const moved = join(dir, 'blobs', name);
    const answer = await readFile(existsSync(moved) ? moved : join(dir, name));
    expect(answer.length, about).toBeGreaterThan(0);
    expect(answer.includes(0), about).toBe(false);
  }
}

/** Each image that has a row has its bytes. */
async function expectWhole(prisma: PrismaClient, dir: string, where: string): Promise<void> {
  for (const { ownerId, sha256 } of await prisma.image.findMany()) {
    const path = join(dir, 'blobs', blobKey({ ownerId, sha256 }));
    expect(existsSync(path), `${where}: ${path}`).toBe(true);
    expect(
      createHash('sha256')
        .update(await readFile(path))
        .digest('hex'),
      where,
    ).toBe(sha256);
  }
}
