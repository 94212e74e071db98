import { ofAllOwners } from '../../auth/visible.ts';
import type { PrismaClient } from '../../database/database.ts';
import type { Log } from '../../log.ts';
import type { IdleGate } from '../../queue/idle-gate.ts';
import { defineJob } from '../../queue/queue.ts';
import { blobKey } from '../storage/blob-key.ts';
import type { Thumbnails } from './thumbnails.ts';

/** Queue job that makes gallery thumbnails after an edit, so that its response need not wait. */
export const MAKE_THUMBNAILS = defineJob<{ jobIds: string[] }>('make-thumbnails', {
  retryLimit: 2,
  retryDelay: 30,
  expireInSeconds: 10 * 60,
  deleteAfterSeconds: 60 * 60,
});

/** The width of galleries; other widths are made on request. */
const GALLERY_WIDTH = 256;

/** Makes the gallery thumbnail and the ThumbHash of each image of the jobs that lacks them. */
export function createMakeThumbnails(options: {
  prisma: PrismaClient;
  thumbnails: Thumbnails;
  idleGate: IdleGate;
  log: Log;
}) {
  const { prisma, thumbnails, idleGate, log } = options;
  return async ({ jobIds }: { jobIds: string[] }, signal: AbortSignal): Promise<void> => {
    await idleGate.wait(signal);
    const images = await ofAllOwners(prisma).image.findMany({
      where: { thumbHash: null, jobs: { some: { jobId: { in: jobIds } } } },
      select: { id: true, ownerId: true, sha256: true },
    });
    for (const image of images) {
      await idleGate.wait(signal);
      signal.throwIfAborted();
      const key = blobKey(image);
      const thumbHash = await thumbnails
        .make(key, GALLERY_WIDTH)
        .then(() => thumbnails.thumbHash(key))
        .catch(unlessDeleted);
      if (thumbHash === null) {
        log.info({ imageId: image.id }, 'no thumbnail: the image was deleted or cannot be decoded');
      } else {
        const data = { thumbHash: Uint8Array.from(thumbHash) };
        await ofAllOwners(prisma).image.updateMany({ where: { id: image.id }, data });
      }
    }
  };
}

/** An image may be deleted at any time. */
function unlessDeleted(error: unknown): null {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
  throw error;
}

/**
 * Enqueues thumbnails when the process is idle, in one queue job for all edits that ended
 * meanwhile. If the process is killed first, they are made on the first request.
 */
export function createThumbnailRequests(options: {
  idleGate: IdleGate;
  send: (data: { jobIds: string[] }) => Promise<void>;
  log: Log;
}) {
  const { idleGate, send, log } = options;
  const stopping = new AbortController();
  let jobIds: string[] = [];
  let sending: Promise<void> | undefined;

  async function sendAll(): Promise<void> {
    while (jobIds.length > 0) {
      await idleGate.wait(stopping.signal);
      const all = jobIds;
      jobIds = [];
      await send({ jobIds: all }).catch((error) => log.warn({ err: error }, 'thumbnails failed'));
    }
  }

  return {
    request(jobId: string): void {
      jobIds.push(jobId);
      sending ??= sendAll().finally(() => {
        sending = undefined;
      });
    },
    /** Sends what is pending at once. */
    async stop(): Promise<void> {
      stopping.abort();
      await sending;
    },
  };
}
