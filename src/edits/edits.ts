import { createHash } from 'node:crypto';
import { v7 as uuid } from 'uuid';
import type { Viewer } from '../auth/viewer.ts';
import { Prisma, type PrismaClient } from '../database/database.ts';
import type { Models } from '../edits-api/models.ts';
import { discardStagedFile } from '../images/fs-staging.ts';
import { type Images, type ReceivedImage, rowFacts, type StoredImage } from '../images/images.ts';
import { defineJob, type Queue } from '../queue.ts';
import {
  checkEditParams,
  checkImageCount,
  checkPictures,
  type EditParams,
  type EditParamsInput,
} from './edit-params.ts';

/** The work of running one edit job. Never repeated by the queue: a repeated call is paid twice. */
export const RUN_EDIT = defineJob<{ jobId: string }>('run-edit', {
  retryLimit: 0,
  // Longer than any EDIT_TIMEOUT_SECONDS, so that the queue never gives a running edit up.
  expireInSeconds: 2 * 60 * 60,
  deleteAfterSeconds: 60 * 60,
});

/** Where an edit's picture comes from: received with the request, or stored before. */
export type ImageSource =
  | { kind: 'received'; image: ReceivedImage }
  | { kind: 'stored'; image: StoredImage };

export interface EditInput extends EditParamsInput {
  readonly imageCount: number;
  /**
   * Gets all pictures, after everything else was checked. When it rejects, it has discarded what
   * it had received.
   */
  pictures(): Promise<{ images: readonly ImageSource[]; mask: ImageSource | null }>;
}

export interface Edits {
  /**
   * Checks and stores the input and enqueues the job, all or nothing. Resolves when it is
   * committed; from then on the edit survives any crash.
   * @param expect is told the job's id before the commit, for those who wait for its end.
   * @throws InvalidInputError, NotFoundError, StorageError; nothing was enqueued then.
   */
  create(viewer: Viewer, input: EditInput, expect?: (jobId: string) => void): Promise<{ id: string }>;
}

export function createEdits(options: {
  prisma: PrismaClient;
  queue: Queue;
  images: Images;
  models: Models;
  /** Whether the edits API is the sandbox: noted on every job. */
  sandbox: boolean;
}): Edits {
  const { prisma, queue, images, models, sandbox } = options;

  return {
    async create(viewer, input, expect) {
      const params = checkEditParams(input, models);
      checkImageCount(input.imageCount, models.get(params.model).maxImages);
      const pictures = await input.pictures();
      const sources = pictures.mask ? [...pictures.images, pictures.mask] : pictures.images;
      const received = sources.flatMap((source) =>
        source.kind === 'received' ? [source.image] : [],
      );
      let resolvedSize: string;
      try {
        ({ resolvedSize } = checkPictures(
          params,
          models,
          pictures.images.map(pictureFacts),
          pictures.mask && pictureFacts(pictures.mask),
        ));
        await images.keep(viewer.ownerId, received);
      } catch (error) {
        await Promise.all(received.map(({ staged }) => discardStagedFile(staged)));
        throw error;
      }

      const id = uuid();
      expect?.(id);
      await prisma.$transaction(async (tx) => {
        const prompt = await tx.prompt.upsert({
          where: { ownerId_sha256: { ownerId: viewer.ownerId, sha256: sha256(params.prompt) } },
          create: { ownerId: viewer.ownerId, sha256: sha256(params.prompt), text: params.prompt },
          update: { ownerId: viewer.ownerId },
          select: { id: true },
        });
        const savedIds = received.length > 0 ? await images.save(tx, viewer.ownerId, received) : [];
        const idOf = (source: ImageSource) =>
          source.kind === 'stored' ? source.image.id : savedIds[received.indexOf(source.image)];
        await tx.editJob.createMany({
          data: {
            id,
            ownerId: viewer.ownerId,
            promptId: prompt.id,
            sandbox,
            resolvedSize,
            ...columns(params),
          },
        });
        await tx.editJobImage.createMany({
          data: sources.map((source, index): Prisma.EditJobImageCreateManyInput => {
            const isMask = source === pictures.mask;
            const imageId = idOf(source);
            if (imageId === undefined) throw new Error('an image was not saved');
            return {
              jobId: id,
              imageId,
              role: isMask ? 'MASK' : 'INPUT',
              position: isMask ? 0 : index,
            };
          }),
        });
        const news = { kind: 'edit', jobId: id, ownerId: viewer.ownerId, final: false } as const;
        await queue.send(tx, RUN_EDIT, { jobId: id }, news);
      });
      return { id };
    },
  };
}

function columns(params: EditParams) {
  const { prompt: _, extraParams, ...rest } = params;
  return { ...rest, extraParams: extraParams ?? Prisma.DbNull };
}

function pictureFacts(source: ImageSource) {
  return source.kind === 'stored' ? source.image : rowFacts(source.image);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
