import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { ofAllOwners } from '../../auth/visible.ts';
import type { PrismaClient } from '../../database/database.ts';
import { blobKey, parseImageKey } from '../../images/storage/blob-key.ts';
import type { BlobStore } from '../../images/storage/blob-store.ts';
import { createFsBlobStore } from '../../images/storage/fs-blob-store.ts';
import { findReferred } from '../../images/storage/remove-blobs.ts';
import type { Progress } from '../progress.ts';
import { type ImageRef, isMissing } from './contents.ts';
import { BLOBS_DIR, readManifest } from './manifest.ts';
import { findFileFaults, openStoredContents } from './stored-contents.ts';
import { tallyImages } from './tally-images.ts';

/** Rows or keys that are read at once. */
const BATCH = 500;

export interface Verified {
  /** Intact ones. */
  readonly images: number;
  readonly bytes: number;
  /** Images in the blob store without a row, which cost space only. */
  readonly orphans: number;
  /** One sentence each. */
  readonly faults: readonly string[];
}

interface Verifying {
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Checks that every image and stored response that a row names is there, and every image's hash. */
export async function verifyInstallation(
  { prisma, blobs }: { prisma: PrismaClient; blobs: BlobStore },
  { progress, signal }: Verifying,
): Promise<Verified> {
  const { faults, ...counts } = await tallyImages({
    images: imageRows(prisma),
    total: await ofAllOwners(prisma).image.count(),
    async check(image) {
      const fault = await checkImage(image, () => blobs.pieces(blobKey(image)));
      return fault === null || (await isStillThere(prisma, image.id)) ? fault : undefined;
    },
    progress,
    signal,
  });
  const lostAnswers = await findLostAnswers(prisma, blobs, signal);
  const orphans = await countOrphans(prisma, blobs, signal);
  return { ...counts, orphans, faults: [...faults, ...lostAnswers] };
}

/** The same of a backup, and the hashes of its other files. @throws BackupError if it is none */
export async function verifyBackup(
  dir: string,
  { progress, signal }: Verifying,
): Promise<Verified> {
  const manifest = await readManifest(dir);
  const fileFaults = await findFileFaults(dir, manifest);
  const contents = await openStoredContents(dir, manifest);
  const total = contents.tables.find(({ name }) => name === 'Image')?.rows ?? 0;
  // Without this table, which is a fault already, it is not known which images there must be.
  const { faults: imageFaults, ...counts } = fileFaults.some((one) =>
    one.includes('/Image.ndjson '),
  )
    ? { images: 0, bytes: 0, faults: [] }
    : await tallyImages({
        images: contents.images(),
        total,
        check: (image) => checkImage(image, () => contents.image(image)),
        progress,
        signal,
      });
  const faults = [...fileFaults, ...imageFaults];
  let files = 0;
  for await (const { key } of createFsBlobStore({ dir: join(dir, BLOBS_DIR) }).list()) {
    if (parseImageKey(key) !== null) files += 1;
  }
  const damaged = faults.filter((fault) => fault.startsWith('The image') && DAMAGED.test(fault));
  const orphans = Math.max(0, files - counts.images - damaged.length);
  return { ...counts, orphans, faults };
}

const DAMAGED = / is damaged\.$/;

/** One sentence; null if the image is intact. @throws StorageError */
async function checkImage(
  image: ImageRef,
  read: () => AsyncIterable<Uint8Array>,
): Promise<string | null> {
  const key = blobKey(image);
  const hash = createHash('sha256');
  try {
    for await (const piece of read()) hash.update(piece);
  } catch (error) {
    if (isMissing(error)) return `The image ${key} is missing.`;
    throw error;
  }
  return hash.digest('hex') === image.sha256 ? null : `The image ${key} is damaged.`;
}

async function* imageRows(prisma: PrismaClient) {
  let after = '00000000-0000-0000-0000-000000000000';
  for (;;) {
    const rows = await ofAllOwners(prisma).image.findMany({
      where: { id: { gt: after } },
      select: { id: true, ownerId: true, sha256: true, bytes: true },
      orderBy: { id: 'asc' },
      take: BATCH,
    });
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.id;
  }
}

/** An image may be deleted while it is checked. */
async function isStillThere(prisma: PrismaClient, id: string): Promise<boolean> {
  return (await ofAllOwners(prisma).image.count({ where: { id } })) > 0;
}

async function findLostAnswers(
  prisma: PrismaClient,
  blobs: BlobStore,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const where = { answerStoredAt: { not: null } };
  const faults: string[] = [];
  const attempts = await ofAllOwners(prisma).editAttempt.findMany({ where, select: { id: true } });
  for (const { id } of attempts) {
    signal.throwIfAborted();
    if ((await blobs.size(`answers/${id}`)) !== null) continue;
    const left = await ofAllOwners(prisma).editAttempt.count({ where: { ...where, id } });
    if (left > 0) faults.push(`The stored response answers/${id} is missing.`);
  }
  return faults;
}

async function countOrphans(
  prisma: PrismaClient,
  blobs: BlobStore,
  signal: AbortSignal,
): Promise<number> {
  let orphans = 0;
  let batch: string[] = [];
  const count = async () => {
    orphans += batch.length - (await findReferred(prisma, batch)).size;
    batch = [];
  };
  for await (const { key } of blobs.list()) {
    signal.throwIfAborted();
    if (parseImageKey(key)?.source !== key) continue;
    batch.push(key);
    if (batch.length === BATCH) await count();
  }
  await count();
  return orphans;
}
