import type { Viewer } from '../../auth/viewer.ts';
import { ownerOf } from '../../auth/visible.ts';
import type { PrismaClient } from '../../database/database.ts';
import { InvalidInputError } from '../../errors.ts';
import type { IdleGate } from '../../queue/idle-gate.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { Images, ReceivedImage } from '../images.ts';
import { discardStagedFile } from '../storage/fs-staging.ts';
import type { Staging } from '../storage/staging.ts';
import { type FileUpload, receiveUploads } from './receive-image.ts';

/** Uploads of images, within this server's limits. */
export interface Uploads {
  /**
   * Receives all files, or none if one is rejected.
   * @throws InvalidInputError naming the field; StorageError.
   */
  receive(files: readonly FieldUpload[], signal: AbortSignal): Promise<ReceivedImage[]>;
  /** Receives one image, stores it for later edits, and returns its id. */
  store(viewer: Viewer, file: FieldUpload, signal: AbortSignal): Promise<{ id: string }>;
}

export interface FieldUpload {
  /** Path into the client's input: `images[2]`, `mask`, `file`. */
  readonly field: string;
  readonly upload: PromiseLike<FileUpload>;
}

export function createUploads(options: {
  prisma: PrismaClient;
  images: Images;
  staging: Staging;
  idleGate: IdleGate;
  maxBytes: number;
  maxPixels: number;
  metrics: Metrics;
}): Uploads {
  const { prisma, images, staging, idleGate, maxBytes, maxPixels, metrics } = options;

  async function receive(files: readonly FieldUpload[], signal: AbortSignal) {
    const uploads = files.map((file) => ({ ...file, maxBytes }));
    const received = await idleGate
      .busyWith(() => receiveUploads({ uploads, staging, maxPixels, signal }))
      .catch((error: unknown) => {
        countRejected(error);
        throw error;
      });
    for (const { staged } of received) {
      metrics.increment('retouch_uploads_total', {});
      metrics.increment('retouch_upload_bytes_total', {}, staged.bytes);
    }
    return received;
  }

  function countRejected(error: unknown): void {
    if (!(error instanceof InvalidInputError)) return;
    for (const { code } of error.problems) {
      metrics.increment('retouch_uploads_rejected_total', { code });
    }
  }

  return {
    receive,
    async store(viewer, file, signal) {
      const ownerId = ownerOf(viewer);
      const received = await receive([file], signal);
      try {
        await images.keep(ownerId, received);
      } finally {
        // No-op for files already moved to the blob store.
        await Promise.all(received.map(({ staged }) => discardStagedFile(staged)));
      }
      const [id] = await prisma.$transaction((tx) => images.save(tx, ownerId, received));
      if (id === undefined) throw new Error('the image was not stored');
      return { id };
    },
  };
}
