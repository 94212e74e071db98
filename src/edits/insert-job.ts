import { v7 as uuid } from 'uuid';
import { Prisma, type PrismaClient } from '../database/database.ts';
import type { Images, ReceivedImage, StoredImage } from '../images/images.ts';
import type { Queue } from '../queue.ts';
import type { EditParams } from './edit-params.ts';
import { inTurn, RUN_EDIT } from './edit-queue.ts';
import { claim, type IdempotencyClaim } from './idempotency.ts';
import { savePrompt } from './save-prompt.ts';

/** Where an edit's picture comes from: received with the request, or stored before. */
export type ImageSource =
  | { kind: 'received'; image: ReceivedImage }
  | { kind: 'stored'; image: Pick<StoredImage, 'id'> };

export interface NewJob {
  readonly id: string;
  readonly ownerId: string;
  readonly sandbox: boolean;
  readonly params: EditParams;
  readonly resolvedSize: string;
  readonly images: readonly ImageSource[];
  readonly mask: ImageSource | null;
  readonly retryOfId: string | null;
  readonly idempotency: IdempotencyClaim | null;
  /** In line: see Backlog. */
  readonly turn: number;
}

export const newJobId = (): string => uuid();

/**
 * Writes a job with its prompt, pictures, key and queue entry, all or nothing. The bytes of
 * received pictures must be kept already.
 * @throws AlreadyClaimedError when the idempotency key was claimed meanwhile.
 */
export async function insertJob(
  { prisma, queue, images }: { prisma: PrismaClient; queue: Queue; images: Images },
  job: NewJob,
): Promise<void> {
  const { id, ownerId } = job;
  const sources = job.mask ? [...job.images, job.mask] : job.images;
  const received = sources.flatMap((source) => (source.kind === 'received' ? [source.image] : []));
  const { prompt: text, extraParams, ...params } = job.params;
  await prisma.$transaction(async (tx) => {
    const promptId = await savePrompt(tx, ownerId, text);
    const savedIds = received.length > 0 ? await images.save(tx, ownerId, received) : [];
    await tx.editJob.createMany({
      data: {
        id,
        ownerId,
        sandbox: job.sandbox,
        promptId,
        resolvedSize: job.resolvedSize,
        retryOfId: job.retryOfId,
        turn: job.turn,
        ...params,
        extraParams: extraParams ?? Prisma.DbNull,
      },
    });
    await tx.editJobImage.createMany({
      data: sources.map((source, index): Prisma.EditJobImageCreateManyInput => {
        const isMask = source === job.mask;
        const imageId =
          source.kind === 'stored' ? source.image.id : savedIds[received.indexOf(source.image)];
        if (imageId === undefined) throw new Error('an image was not saved');
        return {
          jobId: id,
          imageId,
          role: isMask ? 'MASK' : 'INPUT',
          position: isMask ? 0 : index,
        };
      }),
    });
    if (job.idempotency !== null) await claim(tx, job.idempotency, id);
    const news = { kind: 'edit', jobId: id, ownerId, final: false } as const;
    await queue.send(tx, RUN_EDIT, { jobId: id }, inTurn(job.turn), news);
  });
}
