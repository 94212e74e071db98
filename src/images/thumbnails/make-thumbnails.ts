import { ofAllOwners } from '../../auth/visible.ts';
import type { PrismaClient } from '../../database/database.ts';
import type { Log } from '../../log.ts';
import type { Lull } from '../../queue/idle-gate.ts';
import { defineJob } from '../../queue/queue.ts';
import { blobKey } from '../storage/blob-key.ts';
import type { Thumbnails } from './thumbnails.ts';

/** Small pictures for galleries, made behind an edit's back: never in the way of its answer. */
export const MAKE_THUMBNAILS = defineJob<{ jobIds: string[] }>('make-thumbnails', {
  retryLimit: 2,
  retryDelay: 30,
  expireInSeconds: 10 * 60,
  deleteAfterSeconds: 60 * 60,
});

/** The width that galleries ask for; others are made when they are. */
const GALLERY_WIDTH = 256;

/** Makes the gallery thumbnail and the ThumbHash of each picture of the jobs that has none yet. */
export function createMakeThumbnails(options: {
  prisma: PrismaClient;
  thumbnails: Thumbnails;
  lull: Lull;
  log: Log;
}) {
  const { prisma, thumbnails, lull, log } = options;
  return async ({ jobIds }: { jobIds: string[] }, signal: AbortSignal): Promise<void> => {
    await lull.wait(signal);
    const images = await ofAllOwners(prisma).image.findMany({
      where: { thumbHash: null, jobs: { some: { jobId: { in: jobIds } } } },
      select: { id: true, ownerId: true, sha256: true },
    });
    for (const image of images) {
      await lull.wait(signal);
      signal.throwIfAborted();
      const key = blobKey(image);
      const thumbHash = await thumbnails
        .make(key, GALLERY_WIDTH)
        .then(() => thumbnails.thumbHash(key))
        .catch(unlessDeleted);
      if (thumbHash === null) {
        log.info({ imageId: image.id }, 'a picture is gone or cannot be decoded: no thumbnail');
      } else {
        const data = { thumbHash: Uint8Array.from(thumbHash) };
        await ofAllOwners(prisma).image.updateMany({ where: { id: image.id }, data });
      }
    }
  };
}

/** A picture may be deleted meanwhile. */
function unlessDeleted(error: unknown): null {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
  throw error;
}

/**
 * Enqueues that work when nobody waits for anything: one entry for all edits that ended meanwhile.
 * What a death takes with it is made when it is first asked for.
 */
export function createThumbnailRequests(options: {
  lull: Lull;
  send: (data: { jobIds: string[] }) => Promise<void>;
  log: Log;
}) {
  const { lull, send, log } = options;
  const stopping = new AbortController();
  let jobIds: string[] = [];
  let sending: Promise<void> | undefined;

  async function sendAll(): Promise<void> {
    while (jobIds.length > 0) {
      await lull.wait(stopping.signal);
      const all = jobIds;
      jobIds = [];
      await send({ jobIds: all }).catch((error) => log.warn({ err: error }, 'no thumbnails'));
    }
  }

  return {
    request(jobId: string): void {
      jobIds.push(jobId);
      sending ??= sendAll().finally(() => {
        sending = undefined;
      });
    },
    /** Sends what is still there at once. */
    async stop(): Promise<void> {
      stopping.abort();
      await sending;
    },
  };
}
