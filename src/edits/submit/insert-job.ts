import { v7 as uuid } from 'uuid';
import { ownedRows } from '../../auth/visible.ts';
import { Prisma, type PrismaClient, type Transaction } from '../../database/database.ts';
import { NotFoundError } from '../../errors.ts';
import type { Images, ReceivedImage, StoredContent } from '../../images/images.ts';
import type { Limits } from '../../limits/limits.ts';
import type { Queue } from '../../queue/queue.ts';
import type { Traces } from '../../telemetry/traces.ts';
import { inTurn, RUN_EDIT } from '../edit-queue.ts';
import type { EditParams } from '../input/parameters.ts';
import type { ParameterColumns } from '../parameters.ts';
import { claim, type IdempotencyClaim } from './idempotency.ts';
import { savePrompt } from './insert-prompt.ts';
import type { PlannedReservation } from './plan-reservation.ts';
import type { RepeatableRequest, Responses } from './responses.ts';

/** Where an edit's image comes from: received with the request, or stored before. */
export type ImageSource =
  | { kind: 'received'; image: ReceivedImage }
  | { kind: 'stored'; image: StoredContent };

/** The API that submits an edit. */
export type EditSource = 'GRAPHQL' | 'OPENAI_API';

export interface NewJob {
  readonly id: string;
  readonly ownerId: string;
  /** The API key that submits it, and the keys that created that key. Empty: none. */
  readonly apiKeyIds: readonly string[];
  readonly sandbox: boolean;
  readonly params: EditParams;
  readonly resolvedSize: string;
  readonly images: readonly ImageSource[];
  readonly mask: ImageSource | null;
  readonly retryOfId: string | null;
  readonly idempotency: IdempotencyClaim | null;
  /** Null: it cannot be found by a repeat of its request. */
  readonly request: RepeatableRequest | null;
  /** The API that submits it. */
  readonly source: EditSource;
  /** In line: see Backlog. */
  readonly turn: number;
  readonly reserved: PlannedReservation;
}

export const newJobId = (): string => uuid();

/**
 * Inserts a job with its prompt, images, key and queue job, all or nothing. The blobs of
 * received images must be stored already.
 * @throws AlreadyClaimedError when the idempotency key was claimed meanwhile; AlreadyRequestedError;
 * LimitExceededError;
 * NotFoundError when a stored image or the job to repeat was deleted meanwhile; StorageError, see
 * `Images.save`.
 */
export async function insertJob(
  options: {
    prisma: PrismaClient;
    queue: Queue;
    images: Images;
    limits: Limits;
    responses: Responses;
    traces: Traces;
  },
  job: NewJob,
): Promise<void> {
  const { prisma, queue, images, limits, responses, traces } = options;
  const { id, ownerId, apiKeyIds, reserved } = job;
  const sources = job.mask ? [...job.images, job.mask] : job.images;
  const { prompt: text, extraParams, metadata, ...params } = job.params;
  // Fails to compile for a parameter without a column.
  const columns: ParameterColumns = params;
  await prisma.$transaction(async (tx) => {
    // Edits that exceed a limit fail here, before they lock anything.
    if (reserved.isLimited) {
      await limits.look(tx, { ownerId, apiKeyIds, metadata }, reserved.amounts);
    }
    const promptId = await savePrompt(tx, ownerId, text);
    if (job.retryOfId !== null) await holdInHistory(tx, ownerId, job.retryOfId);
    await tx.editJob.createMany({
      data: {
        id,
        ownerId,
        sandbox: job.sandbox,
        source: job.source,
        traceparent: traces.traceparent(),
        promptId,
        resolvedSize: job.resolvedSize,
        retryOfId: job.retryOfId,
        turn: job.turn,
        apiKeyId: apiKeyIds[0] ?? null,
        apiKeyIds: [...apiKeyIds],
        ...columns,
        extraParams: extraParams ?? Prisma.DbNull,
        metadata,
      },
    });
    if (job.request !== null) await responses.open(tx, job.request, id);
    const imageIds = await images.save(
      tx,
      ownerId,
      sources.map(({ image }) => image),
    );
    await tx.editJobImage.createMany({
      data: imageIds.map((imageId, index): Prisma.EditJobImageCreateManyInput => {
        const isMask = sources[index] === job.mask;
        return {
          jobId: id,
          ownerId,
          imageId,
          role: isMask ? 'MASK' : 'INPUT',
          position: isMask ? 0 : index,
        };
      }),
    });
    if (job.idempotency !== null) await claim(tx, job.idempotency, id);
    await limits.reserve(tx, { jobId: id, ownerId, ...reserved });
    const news = { kind: 'edit', jobId: id, ownerId, final: false } as const;
    await queue.send(tx, RUN_EDIT, { jobId: id }, inTurn(job.turn), news);
  });
}

/** Until `tx` ends it cannot be deleted. */
async function holdInHistory(
  tx: Pick<Transaction, '$queryRaw'>,
  ownerId: string,
  id: string,
): Promise<void> {
  const found = await tx.$queryRaw<unknown[]>`
    SELECT FROM "EditJob"
    WHERE id = ${id}::uuid AND ${ownedRows(ownerId, 'EditJob')} AND "deletedAt" IS NULL FOR SHARE`;
  if (found.length === 0) throw new NotFoundError('EditJob', id);
}
