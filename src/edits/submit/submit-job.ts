import type { PrismaClient } from '../../database/database.ts';
import { LimitExceededError } from '../../errors.ts';
import type { Images, ReceivedImage } from '../../images/images.ts';
import type { Limits } from '../../limits/limits.ts';
import type { PixelSize } from '../../models/sizes.ts';
import { encodeGlobalId } from '../../public-ids/global-id.ts';
import type { Queue } from '../../queue/queue.ts';
import { ATTRIBUTE } from '../../telemetry/gen-ai-names.ts';
import type { Traces } from '../../telemetry/traces.ts';
import { findEarlier } from './earlier-edit.ts';
import { AlreadyClaimedError } from './idempotency.ts';
import { type ImageSource, insertJob, type NewJob, newJobId } from './insert-job.ts';
import type { PlanReservation } from './plan-reservation.ts';
import { AlreadyRequestedError, type Responses } from './responses.ts';

/** A job that was committed now, or (`isNew: false`) found by its idempotency key or its request. */
export interface CreatedEdit {
  readonly id: string;
  readonly isNew: boolean;
}

/** A checked job. */
export interface JobToSubmit extends Omit<NewJob, 'id' | 'sandbox' | 'reserved'> {
  readonly sizes: { readonly images: readonly PixelSize[]; readonly mask: PixelSize | null };
}

/**
 * Checks the limits, stores received images and inserts the job. If its idempotency key is claimed
 * meanwhile, or an equal request was first, returns that job.
 * @param expect Called with the job's id before the commit.
 * @throws as `PlanReservation` and `insertJob`.
 */
export type SubmitJob = (job: JobToSubmit, expect: (jobId: string) => void) => Promise<CreatedEdit>;

export function createSubmitJob(options: {
  prisma: PrismaClient;
  queue: Queue;
  images: Images;
  limits: Limits;
  responses: Responses;
  planReservation: PlanReservation;
  traces: Traces;
  /** Whether the upstream is the sandbox: recorded in every job. */
  sandbox: boolean;
}): SubmitJob {
  const { images, planReservation, traces, sandbox } = options;

  return async ({ sizes, ...job }, expect) => {
    const { ownerId, apiKeyIds, params, resolvedSize } = job;
    const limited = { ownerId, apiKeyIds, metadata: params.metadata };
    try {
      const reserved = await planReservation(limited, params, { resolvedSize, ...sizes });
      await images.keep(ownerId, receivedImages(job));
      const id = newJobId();
      expect(id);
      const attributes = { [ATTRIBUTE.editId]: encodeGlobalId('EditJob', id) };
      await traces.span('submit edit', { attributes }, () =>
        insertJob(options, { ...job, id, sandbox, reserved }),
      );
      return { id, isNew: true };
    } catch (error) {
      const found = isTaken(error) ? await findEarlier(options, job) : null;
      if (found === null) throw error;
      return { ...found, isNew: false };
    }
  };
}

/** Whether an equal request may have been first: it may have used the rest of a limit. */
function isTaken(error: unknown): boolean {
  return (
    error instanceof AlreadyClaimedError ||
    error instanceof AlreadyRequestedError ||
    error instanceof LimitExceededError
  );
}

/** Those that were received with the request, each once: one file may be used twice. */
export function receivedImages(job: {
  readonly images: readonly ImageSource[];
  readonly mask: ImageSource | null;
}): readonly ReceivedImage[] {
  const all = job.mask ? [...job.images, job.mask] : job.images;
  return [...new Set(all.flatMap((one) => (one.kind === 'received' ? [one.image] : [])))];
}
