import type { PrismaClient } from '../../database/database.ts';
import { BudgetExceededError } from '../../errors.ts';
import type { Images, ReceivedImage } from '../../images/images.ts';
import type { Budgets } from '../../limits/budgets.ts';
import type { PixelSize } from '../../models/sizes.ts';
import type { Queue } from '../../queue/queue.ts';
import { AlreadyClaimedError, findClaimed } from './idempotency.ts';
import { type ImageSource, insertJob, type NewJob, newJobId } from './insert-job.ts';
import type { ReserveCost } from './reserve-cost.ts';

/** A job that was committed now, or (`isNew: false`) found by its idempotency key. */
export interface CreatedEdit {
  readonly id: string;
  readonly isNew: boolean;
}

/** A checked job. */
export interface JobToSubmit extends Omit<NewJob, 'id' | 'sandbox' | 'reserved'> {
  readonly sizes: { readonly images: readonly PixelSize[]; readonly mask: PixelSize | null };
}

/**
 * Checks the budget, stores received images and inserts the job. If its idempotency key is claimed
 * meanwhile, returns the job that claimed it, which may have taken the last of the budget.
 * @param expect Called with the job's id before the commit.
 * @throws as `ReserveCost` and `insertJob`.
 */
export type SubmitJob = (job: JobToSubmit, expect: (jobId: string) => void) => Promise<CreatedEdit>;

export function createSubmitJob(options: {
  prisma: PrismaClient;
  queue: Queue;
  images: Images;
  budgets: Budgets;
  reserveCost: ReserveCost;
  /** Whether the upstream is the sandbox: recorded in every job. */
  sandbox: boolean;
}): SubmitJob {
  const { prisma, images, reserveCost, sandbox } = options;

  return async ({ sizes, ...job }, expect) => {
    const { ownerId, params, resolvedSize, idempotency } = job;
    try {
      const reserved = await reserveCost(ownerId, params, { resolvedSize, ...sizes });
      await images.keep(ownerId, receivedImages(job));
      const id = newJobId();
      expect(id);
      await insertJob(options, { ...job, id, sandbox, reserved });
      return { id, isNew: true };
    } catch (error) {
      const isTaken = error instanceof AlreadyClaimedError || error instanceof BudgetExceededError;
      const found = isTaken && idempotency && (await findClaimed(prisma, idempotency));
      if (!found) throw error;
      return { ...found, isNew: false };
    }
  };
}

/** Those that were received with the request, each once: one file may be used twice. */
export function receivedImages(job: {
  readonly images: readonly ImageSource[];
  readonly mask: ImageSource | null;
}): readonly ReceivedImage[] {
  const all = job.mask ? [...job.images, job.mask] : job.images;
  return [...new Set(all.flatMap((one) => (one.kind === 'received' ? [one.image] : [])))];
}
