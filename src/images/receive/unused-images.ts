import { ofAllOwners } from '../../auth/visible.ts';
import type { PrismaClient } from '../../database/database.ts';
import type { Events } from '../../queue/events.ts';
import type { Queue } from '../../queue/queue.ts';
import type { StoredContent } from '../images.ts';
import { blobKey } from '../storage/blob-key.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import { lockContents } from '../storage/content-locks.ts';
import { REMOVE_BLOBS } from '../storage/remove-blobs.ts';

const BATCH = 50;

type Unused = StoredContent & { readonly ownerId: string };

/**
 * Deletes a batch of images that no edit uses and whose last upload was before `before`. The commit
 * enqueues the removal of their blobs. Returns the number of images.
 */
export type DeleteUnusedImages = (before: Date, signal: AbortSignal) => Promise<number>;

export function createDeleteUnusedImages(options: {
  prisma: PrismaClient;
  queue: Queue;
  events: Pick<Events, 'publish'>;
  blobs: BlobStore;
}): DeleteUnusedImages {
  const { prisma, queue, events, blobs } = options;

  /** Uses the primary key, which orders by time. */
  const find = (before: Date, after: string) => ofAllOwners(prisma).$queryRaw<Unused[]>`
    SELECT id, "ownerId", sha256 FROM "Image" AS image
    WHERE id > ${after}::uuid AND id < ${firstIdOf(before)}::uuid AND NOT EXISTS (
      SELECT FROM "EditJobImage" WHERE "imageId" = image.id
    )
    ORDER BY id LIMIT ${BATCH}`;

  /** The row has the time of the first upload of its content, the blob that of the last. */
  async function uploadedBefore(images: readonly Unused[], before: Date): Promise<Unused[]> {
    const times = await Promise.all(images.map((image) => blobs.modifiedAt(blobKey(image))));
    return images.filter((_, index) => (times[index] ?? before) <= before);
  }

  const deleteBatch = (unused: readonly Unused[], before: Date) =>
    prisma.$transaction(async (tx) => {
      await lockContents(tx, unused.map(blobKey), 'exclusive');
      const ids = (await uploadedBefore(unused, before)).map(({ id }) => id);
      const deleted = await ofAllOwners(tx).$queryRaw<Unused[]>`
        DELETE FROM "Image" AS image
        WHERE id = ANY (${ids}::text[]::uuid[]) AND NOT EXISTS (
          SELECT FROM "EditJobImage" WHERE "imageId" = image.id
        )
        RETURNING id, "ownerId", sha256`;
      if (deleted.length === 0) return 0;
      await queue.send(tx, REMOVE_BLOBS, { keys: deleted.map(blobKey) });
      const owners = new Set(deleted.map(({ ownerId }) => ownerId));
      await events.publish(
        tx,
        ...[...owners].map((ownerId) => ({ kind: 'images', ownerId }) as const),
      );
      return deleted.length;
    });

  return async (before, signal) => {
    let deleted = 0;
    for (let after = NO_ID; ; ) {
      signal.throwIfAborted();
      const unused = await find(before, after);
      const last = unused.at(-1);
      if (last === undefined) return deleted;
      deleted += await deleteBatch(unused, before);
      after = last.id;
    }
  };
}

const NO_ID = '00000000-0000-0000-0000-000000000000';

/** The smallest UUIDv7 of the given time. */
function firstIdOf(time: Date): string {
  const hex = time.getTime().toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}
