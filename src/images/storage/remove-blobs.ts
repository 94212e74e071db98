import { ofAllOwners } from '../../auth/visible.ts';
import type { PrismaClient, Transaction } from '../../database/database.ts';
import type { Log } from '../../log.ts';
import { defineJob, type Queue } from '../../queue/queue.ts';
import { THUMBNAIL_WIDTHS } from '../thumbnails/thumbnail-width.ts';
import { parsePictureKey, thumbnailKey } from './blob-key.ts';
import type { BlobStore } from './blob-store.ts';
import { lockContents } from './content-locks.ts';

/**
 * How long a blob may wait for its row, in milliseconds: between `Images.keep` and the commit that
 * follows. One that is younger is never removed.
 */
const BLOB_GRACE_MS = 15 * 60 * 1_000;

/** Contents that are locked at once: each lock has a place in a table of the database's. */
const BATCH = 50;

/** The work of removing the blobs of pictures whose rows the same transaction deletes. */
export const REMOVE_BLOBS = defineJob<{ keys: readonly string[] }>('remove-blobs', {
  // The storage may be away for weeks.
  retryLimit: 1_000,
  retryDelay: 30,
  retryBackoff: true,
  retryDelayMax: 60 * 60,
  heartbeatSeconds: 30,
  expireInSeconds: 60 * 60,
  deleteAfterSeconds: 60 * 60,
});

/** Removes blobs, with their thumbnails, that no row refers to. */
export interface BlobRemover {
  /**
   * Leaves those alone that have a row, and those that are younger than the grace time: these it
   * answers, with the time when the last of them is old enough.
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

  /** The time when it is old enough, if that is yet to come. */
  async function removeOne(key: string): Promise<number | null> {
    const modifiedAt = await blobs.modifiedAt(key);
    const oldEnoughMs = (modifiedAt?.getTime() ?? 0) + graceMs;
    if (modifiedAt !== null && oldEnoughMs > now()) return oldEnoughMs;
    // First the thumbnails: a death in between leaves the blob, by which they are found.
    await removeThumbnails(key);
    await blobs.delete(key);
    // One may have been stored in between, by a maker that still saw the blob after it.
    await removeThumbnails(key);
    return null;
  }

  async function removeThumbnails(key: string): Promise<void> {
    await Promise.all(THUMBNAIL_WIDTHS.map((width) => blobs.delete(thumbnailKey(key, width))));
  }

  /** In a transaction of its own: the locks end with it. */
  const removeBatch = (keys: readonly string[]) =>
    prisma.$transaction(async (tx) => {
      await lockContents(tx, keys, 'exclusive');
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
 * Those keys of pictures that a row refers to. A key holds its owner hashed, so each owner is visited:
 * one step in an index for each.
 */
export async function findReferred(
  tx: Pick<Transaction, '$queryRaw'>,
  keys: readonly string[],
): Promise<ReadonlySet<string>> {
  const asked = keys.flatMap((key) => parsePictureKey(key) ?? []);
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

/** What is too young is tried again when it is old enough. */
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
    log.info({ removed, young: young.length }, 'removed the files of deleted pictures');
  };
}
