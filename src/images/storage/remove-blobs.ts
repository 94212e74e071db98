import { ofAllOwners } from '../../auth/visible.ts';
import type { PrismaClient, Transaction } from '../../database/database.ts';
import type { Log } from '../../log.ts';
import { defineJob, type Queue } from '../../queue/queue.ts';
import { THUMBNAIL_WIDTHS } from '../thumbnails/thumbnail-width.ts';
import { parseImageKey, thumbnailKey } from './blob-key.ts';
import type { BlobStore } from './blob-store.ts';
import { lockContents } from './content-locks.ts';
import { isRemovalHeld } from './removal-hold.ts';

/**
 * How long a blob may exist without a row, in milliseconds: between storing it and the commit that
 * follows. Younger blobs are never removed.
 */
const BLOB_GRACE_MS = 15 * 60 * 1_000;

/** When a removal that a backup holds back is tried again, in milliseconds. */
const HELD_MS = 60 * 1_000;

/** Contents locked at once. Each lock takes a slot in the database's lock table. */
const BATCH = 50;

/** Queue job that removes the blobs of images whose rows the same transaction deletes. */
export const REMOVE_BLOBS = defineJob<{ keys: readonly string[] }>('remove-blobs', {
  // The storage may be unavailable for weeks.
  retryLimit: 1_000,
  retryDelay: 30,
  retryBackoff: true,
  retryDelayMax: 60 * 60,
  heartbeatSeconds: 30,
  expireInSeconds: 60 * 60,
  deleteAfterSeconds: 60 * 60,
});

/** Removes unreferenced blobs and their thumbnails. */
export interface BlobRemover {
  /**
   * Skips blobs with a row, blobs within the grace period, and all blobs while a backup copies them.
   * Returns the latter two, with the time when the last of them may be removed.
   * @throws StorageError
   */
  remove(
    keys: readonly string[],
    signal: AbortSignal,
  ): Promise<{ removed: number; young: readonly string[]; youngUntil: Date }>;
}

export function createBlobRemover(options: {
  prisma: PrismaClient;
  blobs: BlobStore;
  /** @default BLOB_GRACE_MS */
  graceMs?: number;
  /** @default Date.now */
  now?: () => number;
}): BlobRemover {
  const { prisma, blobs, graceMs = BLOB_GRACE_MS, now = Date.now } = options;

  /** Returns the time when the blob may be removed, if that is in the future. */
  async function removeOne(key: string): Promise<number | null> {
    const modifiedAt = await blobs.modifiedAt(key);
    const oldEnoughMs = (modifiedAt?.getTime() ?? 0) + graceMs;
    if (modifiedAt !== null && oldEnoughMs > now()) return oldEnoughMs;
    // Thumbnails first: if the process is killed in between, the blob remains, and its thumbnails
    // are found by it.
    await removeThumbnails(key);
    await blobs.delete(key);
    // One may have been stored in between by a process that saw the blob before it was removed.
    await removeThumbnails(key);
    return null;
  }

  async function removeThumbnails(key: string): Promise<void> {
    await Promise.all(THUMBNAIL_WIDTHS.map((width) => blobs.delete(thumbnailKey(key, width))));
  }

  /** Each batch has its own transaction, whose end releases the locks. */
  const removeBatch = (keys: readonly string[]) =>
    prisma.$transaction(async (tx) => {
      await lockContents(tx, keys, 'exclusive');
      // Waits while a history is assigned to another owner, whose rows are not visible yet.
      await ofAllOwners(tx).$executeRaw`LOCK TABLE "Image" IN ROW SHARE MODE`;
      if (await isRemovalHeld(tx))
        return keys.map((key) => ({ key, oldEnoughMs: now() + HELD_MS }));
      const referred = await findReferred(tx, keys);
      return Promise.all(
        keys
          .filter((key) => !referred.has(key))
          .map(async (key) => ({ key, oldEnoughMs: await removeOne(key) })),
      );
    });

  return {
    async remove(keys, signal) {
      const young: string[] = [];
      let removed = 0;
      let youngUntilMs = 0;
      for (let start = 0; start < keys.length; start += BATCH) {
        signal.throwIfAborted();
        for (const { key, oldEnoughMs } of await removeBatch(keys.slice(start, start + BATCH))) {
          if (oldEnoughMs === null) {
            removed += 1;
          } else {
            young.push(key);
            youngUntilMs = Math.max(youngUntilMs, oldEnoughMs);
          }
        }
      }
      return { removed, young, youngUntil: new Date(youngUntilMs) };
    },
  };
}

/**
 * Returns the keys that a row refers to. A key contains only the hash of its owner, so this visits
 * each owner: one index step per owner.
 */
export async function findReferred(
  tx: Pick<Transaction, '$queryRaw'>,
  keys: readonly string[],
): Promise<ReadonlySet<string>> {
  const asked = keys.flatMap((key) => parseImageKey(key) ?? []);
  if (asked.length === 0) return new Set();
  const rows = await ofAllOwners(tx).$queryRaw<{ key: string }[]>`
    WITH RECURSIVE owner AS (
      SELECT min("ownerId") AS id FROM "Image"
      UNION ALL
      SELECT (SELECT min("ownerId") FROM "Image" WHERE "ownerId" > owner.id)
      FROM owner WHERE owner.id IS NOT NULL
    ), named AS (
      SELECT id, left(encode(sha256(convert_to(id, 'UTF8')), 'hex'), 32) AS segment
      FROM owner WHERE id IS NOT NULL
    )
    SELECT asked.key
    FROM unnest(
      ${asked.map(({ source }) => source)}::text[],
      ${asked.map(({ owner }) => owner)}::text[],
      ${asked.map(({ sha256 }) => sha256)}::text[]
    ) AS asked(key, owner, sha256)
    JOIN named ON named.segment = asked.owner
    JOIN "Image" AS image
      ON image."ownerId" = named.id AND image.sha256 = asked.sha256::char(64)`;
  return new Set(rows.map(({ key }) => key));
}

/** Retries blobs within the grace period when it is over. */
export function createRemoveBlobs(options: {
  prisma: PrismaClient;
  queue: Queue;
  remover: BlobRemover;
  log: Log;
}) {
  const { prisma, queue, remover, log } = options;
  return async ({ keys }: { keys: readonly string[] }, signal: AbortSignal): Promise<void> => {
    const { removed, young, youngUntil } = await remover.remove(keys, signal);
    if (young.length > 0) {
      await queue.send(prisma, REMOVE_BLOBS, { keys: young }, { startAfter: youngUntil });
    }
    log.info({ removed, young: young.length }, 'removed blobs of deleted images');
  };
}
