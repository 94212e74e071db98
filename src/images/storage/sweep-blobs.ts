import type { PrismaClient } from '../../database/database.ts';
import type { Log } from '../../log.ts';
import type { IdleGate } from '../../queue/idle-gate.ts';
import { defineJob } from '../../queue/queue.ts';
import { logProgress } from '../../telemetry/progress.ts';
import { parseImageKey } from './blob-key.ts';
import type { BlobStore } from './blob-store.ts';
import { type BlobRemover, findReferred } from './remove-blobs.ts';

/** How often the whole store is scanned, in seconds. */
export const SWEEP_BLOBS_EVERY_SECONDS = 6 * 60 * 60;

/** Queue job that removes blobs without a row. */
export const SWEEP_BLOBS = defineJob<Record<string, never>>('sweep-blobs', {
  retryLimit: 2,
  retryDelay: 60,
  heartbeatSeconds: 30,
  expireInSeconds: 12 * 60 * 60,
  deleteAfterSeconds: 24 * 60 * 60,
});

/** Keys looked up in the database at once. */
const BATCH = 500;

/**
 * Removes unreferenced blobs and thumbnails, left by killed processes and failed transactions.
 * Scans the store in order, with some hundred keys in memory at a time. Safe at any time:
 * BlobRemover checks each candidate again under a lock. Ignores keys that are not named like
 * images.
 */
export function createSweepBlobs(options: {
  prisma: PrismaClient;
  blobs: BlobStore;
  remover: BlobRemover;
  idleGate: IdleGate;
  log: Log;
}) {
  const { prisma, blobs, remover, idleGate, log } = options;

  async function sweepBatch(keys: ReadonlySet<string>, signal: AbortSignal): Promise<number> {
    await idleGate.wait(signal);
    signal.throwIfAborted();
    const referred = await findReferred(prisma, [...keys]);
    const suspects = [...keys].filter((key) => !referred.has(key));
    return (await remover.remove(suspects, signal)).removed;
  }

  return async (_: object, signal: AbortSignal): Promise<void> => {
    // An image's thumbnails follow it directly, or stand alone.
    const batch = new Set<string>();
    let seen = 0;
    let removed = 0;
    using _progress = logProgress(log, 'sweeping blobs', () => ({ seen, removed }));
    for await (const { key } of blobs.list()) {
      const image = parseImageKey(key);
      if (image === null) continue;
      if (batch.size === BATCH && !batch.has(image.source)) {
        removed += await sweepBatch(batch, signal);
        batch.clear();
      }
      if (!batch.has(image.source)) seen += 1;
      batch.add(image.source);
    }
    removed += await sweepBatch(batch, signal);
    log.info({ seen, removed }, 'swept unreferenced blobs');
  };
}
