import { apiKeysOf, type Viewer } from '../../auth/viewer.ts';
import { ownerOf } from '../../auth/visible.ts';
import type { PrismaClient } from '../../database/database.ts';
import { checkAll, InvalidInputError, LimitExceededError, NotFoundError } from '../../errors.ts';
import {
  type Images,
  type ReceivedImage,
  rowFacts,
  type StoredImage,
} from '../../images/images.ts';
import { discardStagedFile } from '../../images/storage/fs-staging.ts';
import type { Limits } from '../../limits/limits.ts';
import { type Models, restrictModels } from '../../models/models.ts';
import type { Queue } from '../../queue/queue.ts';
import { type Metrics, NO_METRICS } from '../../telemetry/metrics.ts';
import type { Traces } from '../../telemetry/traces.ts';
import { isFinal } from '../edit-status.ts';
import { inHistory } from '../history/in-history.ts';
import { checkImageCount, checkImages, resolveSize } from '../input/images.ts';
import type { JsonObject } from '../input/json-object.ts';
import {
  checkEditParams,
  type EditParams,
  type EditParamsInput,
  modelLimits,
} from '../input/parameters.ts';
import type { Backlog } from './backlog.ts';
import { findEarlier, type RepeatKeys } from './earlier-edit.ts';
import { checkIdempotencyKey, findClaimed, fingerprint } from './idempotency.ts';
import type { EditSource } from './insert-job.ts';
import type { PlanReservation } from './plan-reservation.ts';
import type { ClientRequest, Responses } from './responses.ts';
import { type CreatedEdit, createSubmitJob, receivedImages, type SubmitJob } from './submit-job.ts';

/** Where an edit's image comes from: received with the request, or stored before. */
export type InputImage =
  | { kind: 'received'; image: ReceivedImage }
  | { kind: 'stored'; image: StoredImage };

export interface EditInput extends EditParamsInput {
  readonly idempotencyKey?: string | null;
  /** @default 'GRAPHQL' */
  readonly source?: EditSource;
  /** By which a repeat of the request finds the edit. An idempotencyKey does that by itself. */
  readonly request?: ClientRequest;
  readonly imageCount: number;
  /** Whether they were received before. @default false */
  readonly hasImages?: boolean;
  /**
   * Loads all images, after everything else was validated. If it rejects, it has discarded
   * received files.
   */
  loadImages(): Promise<{ images: readonly InputImage[]; mask: InputImage | null }>;
}

export interface Edits {
  /**
   * Checks what can be checked without the images.
   * @throws InvalidInputError
   */
  check(viewer: Viewer, input: Omit<EditInput, 'loadImages'>): EditParams;
  /**
   * Checks and stores the input and enqueues the job, all or nothing. Resolves when it is
   * committed; from then on the edit survives any crash.
   * @param expect Called with the job's id before the commit, so that the caller can await its end.
   * @throws InvalidInputError, NotFoundError, IdempotencyConflictError, LimitExceededError,
   * UnavailableError (too many wait), StorageError; nothing was enqueued then.
   */
  create(viewer: Viewer, input: EditInput, expect: (jobId: string) => void): Promise<CreatedEdit>;
  /**
   * A new job with the inputs of a final one, linked to it.
   * @throws NotFoundError; InvalidInputError when it is not final; as `create`.
   */
  retry(
    viewer: Viewer,
    id: string,
    options: { idempotencyKey: string | null; source?: EditSource },
    expect: (jobId: string) => void,
  ): Promise<CreatedEdit>;
}

export function createEdits(options: {
  prisma: PrismaClient;
  queue: Queue;
  images: Images;
  models: Models;
  backlog: Backlog;
  limits: Limits;
  responses: Responses;
  planReservation: PlanReservation;
  traces: Traces;
  /** Whether the edits API is the sandbox: noted on every job. */
  sandbox: boolean;
  /** @default off */
  metrics?: Metrics;
}): Edits {
  const { prisma, backlog, metrics = NO_METRICS } = options;
  const submitJob = countingLimits(createSubmitJob(options), metrics);

  const modelsOf = ({ allowedModels }: Viewer) => restrictModels(options.models, allowedModels);

  function check(viewer: Viewer, input: Omit<EditInput, 'loadImages'>): EditParams {
    const models = modelsOf(viewer);
    const { params } = checkAll({
      images: () => checkImageCount(input.imageCount, modelLimits(input, models).maxImages),
      params: () => checkEditParams(input, models),
      idempotencyKey: () => checkIdempotencyKey(input.idempotencyKey ?? null),
    });
    return params;
  }

  return {
    check,

    async create(viewer, input, expect) {
      const ownerId = ownerOf(viewer);
      const { source = 'GRAPHQL' } = input;
      const models = modelsOf(viewer);
      const params = check(viewer, input);
      // Before a byte of an image is read: an edit that the queue has no room for is not uploaded.
      const early = input.hasImages === true ? null : await backlog.admit(ownerId);
      const sources = await input.loadImages();
      const all = sources.mask ? [...sources.images, sources.mask] : sources.images;
      const received = receivedImages(sources);
      try {
        const facts = sources.images.map(inputFacts);
        const mask = sources.mask && inputFacts(sources.mask);
        const { resolvedSize } = checkImages(params, models, facts, mask);
        const contents = all.map(contentOf);
        const inputSha256 = fingerprint({ params, contents, isMasked: sources.mask !== null });
        const keys = repeatKeys(viewer, input, inputSha256);
        const found = await findEarlier(options, keys);
        if (found !== null) return { ...found, isNew: false };
        const { turn } = early ?? (await backlog.admit(ownerId));
        const sizes = { images: facts, mask };
        const by = { ownerId, apiKeyIds: apiKeysOf(viewer), source, ...keys };
        const job = { ...by, params, resolvedSize, ...sources, sizes, turn, retryOfId: null };
        return await submitJob(job, expect);
      } finally {
        // No-op for files already moved to the blob store.
        await Promise.all(received.map(({ staged }) => discardStagedFile(staged)));
      }
    },

    async retry(viewer, id, { idempotencyKey: key, source = 'GRAPHQL' }, expect) {
      const ownerId = ownerOf(viewer);
      const models = modelsOf(viewer);
      checkIdempotencyKey(key);
      const old = await prisma.editJob.findFirst({
        where: { id, ...inHistory(viewer) },
        include: {
          prompt: { select: { text: true } },
          images: {
            where: { role: { in: ['INPUT', 'MASK'] } },
            orderBy: { position: 'asc' },
            select: {
              role: true,
              image: { select: { id: true, sha256: true, width: true, height: true } },
            },
          },
        },
      });
      if (old?.prompt == null) throw new NotFoundError('EditJob', id);
      const idempotency =
        key === null ? null : { ownerId, key, inputSha256: fingerprint({ retryOf: old.id }) };
      const found = idempotency && (await findClaimed(prisma, idempotency));
      if (found) return { ...found, isNew: false };
      if (!isFinal(old.status)) {
        throw new InvalidInputError(
          'id',
          'INVALID_VALUE',
          `The edit is ${old.status}. Only an edit that has ended can be retried.`,
        );
      }
      const params = checkEditParams(
        {
          ...old,
          prompt: old.prompt.text,
          extraParams: old.extraParams as JsonObject | null,
          metadata: old.metadata as JsonObject,
        },
        models,
      );
      const sources = (role: 'INPUT' | 'MASK') =>
        old.images
          .filter((link) => link.role === role)
          .map(({ image }) => ({ kind: 'stored' as const, image }));
      const [inputs, [mask = null]] = [sources('INPUT'), sources('MASK')];
      const [first] = inputs;
      // By the current rules of the model: the size sent before may be why the edit failed.
      const resolvedSize = first ? resolveSize(params, models, first.image) : old.resolvedSize;
      const { turn } = await backlog.admit(ownerId);
      const sizes = { images: inputs.map(({ image }) => image), mask: mask?.image ?? null };
      const by = { ownerId, apiKeyIds: apiKeysOf(viewer), source, request: null, idempotency };
      const job = { ...by, params, resolvedSize, images: inputs, mask, sizes, turn };
      return submitJob({ ...job, retryOfId: old.id }, expect);
    },
  };
}

function countingLimits(submit: SubmitJob, metrics: Metrics): SubmitJob {
  return (...args) =>
    submit(...args).catch((error: unknown) => {
      if (error instanceof LimitExceededError) {
        metrics.increment('retouch_rejections_total', { limit: error.measure });
      }
      throw error;
    });
}

/** A key of the client's own needs no other. */
function repeatKeys(
  viewer: Viewer,
  { idempotencyKey: key = null, request }: EditInput,
  inputSha256: string,
): RepeatKeys {
  const ownerId = ownerOf(viewer);
  if (key !== null) return { idempotency: { ownerId, key, inputSha256 }, request: null };
  if (request === undefined) return { idempotency: null, request: null };
  const [apiKeyId = null] = apiKeysOf(viewer);
  return { idempotency: null, request: { ...request, ownerId, apiKeyId, inputSha256 } };
}

function inputFacts(input: InputImage) {
  return input.kind === 'stored' ? input.image : rowFacts(input.image);
}

function contentOf(input: InputImage): string {
  return input.kind === 'stored' ? input.image.sha256 : input.image.staged.sha256;
}
