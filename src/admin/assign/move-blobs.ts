import { ownerSegment, parseImageKey } from '../../images/storage/blob-key.ts';
import type { BlobStore } from '../../images/storage/blob-store.ts';
import type { CommandRun } from '../commands/commands.ts';

/** Blobs that are copied at once. */
const CONCURRENCY = 16;

/** How often progress is reported, in blobs. */
const REPORT_EVERY = 1_000;

/**
 * Copies the images and thumbnails of an owner that another one does not have yet, under the keys of
 * that owner. Returns the keys of the images.
 */
export async function copyBlobs(
  blobs: BlobStore,
  { from, to }: { from: string; to: string },
  { note, signal }: CommandRun,
): Promise<readonly string[]> {
  const there = new Set<string>();
  for await (const rest of imagesOf(blobs, to)) there.add(rest);
  const images = new Set<string>();
  let batch: string[] = [];
  let copied = 0;

  async function copyBatch(): Promise<void> {
    signal.throwIfAborted();
    await Promise.all(
      batch.map((rest) => blobs.copy(ownerSegment(from) + rest, ownerSegment(to) + rest)),
    );
    const before = copied;
    copied += batch.length;
    batch = [];
    if (Math.floor(copied / REPORT_EVERY) > Math.floor(before / REPORT_EVERY)) {
      note(`copied ${copied} images and thumbnails`);
    }
  }

  for await (const rest of imagesOf(blobs, from)) {
    const image = parseImageKey(ownerSegment(from) + rest);
    if (image !== null) images.add(image.source);
    if (there.has(rest)) continue;
    batch.push(rest);
    if (batch.length === CONCURRENCY) await copyBatch();
  }
  await copyBatch();
  return [...images];
}

/** The keys of an owner's images and thumbnails, without the owner. */
async function* imagesOf(blobs: BlobStore, ownerId: string): AsyncGenerator<string, void> {
  const owner = ownerSegment(ownerId);
  for await (const { key } of blobs.list({ after: owner })) {
    if (!key.startsWith(`${owner}/`)) return;
    if (parseImageKey(key) !== null) yield key.slice(owner.length);
  }
}
