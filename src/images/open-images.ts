import type { Config } from '../config/config.ts';
import type { PrismaClient } from '../database/database.ts';
import type { Log } from '../log.ts';
import type { IdleGate } from '../queue/idle-gate.ts';
import type { Queue } from '../queue/queue.ts';
import type { RecurringWork } from '../queue/recurring-jobs.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { createImages, type Images } from './images.ts';
import { createUploads, type Uploads } from './receive/uploads.ts';
import type { BlobStore } from './storage/blob-store.ts';
import { createStaging } from './storage/fs-staging.ts';
import { openBlobStore } from './storage/open-blob-store.ts';
import { createBlobRemover, createRemoveBlobs, REMOVE_BLOBS } from './storage/remove-blobs.ts';
import type { Staging } from './storage/staging.ts';
import { createSweepBlobs, SWEEP_BLOBS, SWEEP_BLOBS_EVERY_SECONDS } from './storage/sweep-blobs.ts';
import { createMakeThumbnails, MAKE_THUMBNAILS } from './thumbnails/make-thumbnails.ts';
import { createThumbnails, type Thumbnails } from './thumbnails/thumbnails.ts';

/** Staged files older than this are removed at start: no upload takes a day. */
const STAGED_MAX_AGE_MS = 24 * 60 * 60 * 1_000;

export interface OpenImages {
  readonly images: Images;
  readonly uploads: Uploads;
  readonly blobs: BlobStore;
  readonly staging: Staging;
  readonly thumbnails: Thumbnails;
  /** Waits for the running thumbnail, then closes the blob store. */
  close(): Promise<void>;
}

/**
 * @param options.stagingDir An existing directory for files that are being received.
 * @param options.processId Marks the staged files of this process.
 */
export async function openImages(options: {
  storage: Config['storage'];
  limits: Pick<Config['limits'], 'imageBytes' | 'imagePixels'>;
  stagingDir: string;
  processId: string;
  prisma: PrismaClient;
  idleGate: IdleGate;
  metrics: Metrics;
}): Promise<OpenImages> {
  const { storage, limits, stagingDir, processId, prisma, idleGate, metrics } = options;
  await using opened = new AsyncDisposableStack();
  const staging = createStaging({ dir: stagingDir, owner: processId });
  await staging.sweep(STAGED_MAX_AGE_MS);
  const { blobs } = opened.adopt(await openBlobStore(storage), (it) => it.close());
  const maxPixels = limits.imagePixels;
  const thumbnails = opened.adopt(createThumbnails({ blobs, staging, maxPixels }), (it) =>
    it.stop(),
  );
  const images = createImages({ prisma, blobs });
  const maxBytes = limits.imageBytes;
  const uploads = createUploads({
    prisma,
    images,
    staging,
    idleGate,
    maxBytes,
    maxPixels,
    metrics,
  });
  const parts = opened.move();
  return { images, uploads, blobs, staging, thumbnails, close: () => parts.disposeAsync() };
}

/** Starts to make thumbnails, to remove blobs of deleted images, and to sweep unused ones. */
export async function startImageJobs(options: {
  images: Pick<OpenImages, 'blobs' | 'thumbnails'>;
  prisma: PrismaClient;
  queue: Queue;
  recurring: RecurringWork;
  idleGate: IdleGate;
  log: Log;
}): Promise<void> {
  const { images, prisma, queue, recurring, idleGate, log } = options;
  const { blobs, thumbnails } = images;
  const remover = createBlobRemover({ prisma, blobs });
  queue.work(MAKE_THUMBNAILS, {
    concurrency: 1,
    handle: createMakeThumbnails({ prisma, thumbnails, idleGate, log }),
  });
  queue.work(REMOVE_BLOBS, {
    concurrency: 1,
    handle: createRemoveBlobs({ prisma, queue, remover, log }),
  });
  queue.work(SWEEP_BLOBS, {
    concurrency: 1,
    handle: createSweepBlobs({ prisma, blobs, remover, idleGate, log }),
  });
  await recurring.start(SWEEP_BLOBS, { everySeconds: SWEEP_BLOBS_EVERY_SECONDS });
}
