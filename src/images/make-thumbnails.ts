import type { PrismaClient } from '../database/database.ts';
import type { Log } from '../log.ts';
import type { Lull } from '../lull.ts';
import { defineJob } from '../queue.ts';
import { blobKey } from './blob-key.ts';
import type { Thumbnails } from './thumbnails.ts';

/** Small pictures for galleries, made behind an edit's back: never in the way of its answer. */
export const MAKE_THUMBNAILS = defineJob<{ jobId: string }>('make-thumbnails', {
  retryLimit: 2,
  retryDelay: 30,
  expireInSeconds: 10 * 60,
  deleteAfterSeconds: 60 * 60,
});

/** The width that galleries ask for; others are made when they are. */
const GALLERY_WIDTH = 256;

/** Makes the gallery thumbnail and the ThumbHash of each picture of a job that has none yet. */
export function createMakeThumbnails(options: {
  prisma: PrismaClient;
  thumbnails: Thumbnails;
  lull: Lull;
  log: Log;
}) {
  const { prisma, thumbnails, lull, log } = options;
  return async ({ jobId }: { jobId: string }, signal: AbortSignal): Promise<void> => {
    await lull.wait(signal);
    const images = await prisma.image.findMany({
      where: { thumbHash: null, jobs: { some: { jobId } } },
      select: { id: true, ownerId: true, sha256: true },
    });
    for (const image of images) {
      await lull.wait(signal);
      signal.throwIfAborted();
      const key = blobKey(image);
      await thumbnails.make(key, GALLERY_WIDTH);
      const thumbHash = await thumbnails.thumbHash(key);
      if (thumbHash === null) {
        log.info({ imageId: image.id }, 'a picture cannot be decoded, it has no thumbnail');
      } else {
        const data = { thumbHash: Uint8Array.from(thumbHash) };
        await prisma.image.update({ where: { id: image.id }, data, select: { id: true } });
      }
    }
  };
}
