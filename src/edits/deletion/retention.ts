import { ofAllOwners } from '../../auth/visible.ts';
import type { PrismaClient } from '../../database/database.ts';
import type { DeleteUnusedImages } from '../../images/receive/unused-images.ts';
import type { Log } from '../../log.ts';
import type { IdleGate } from '../../queue/idle-gate.ts';
import { defineJob } from '../../queue/queue.ts';
import { logProgress } from '../../telemetry/progress.ts';
import type { DeleteEdits } from './delete-edits.ts';

export const APPLY_RETENTION_EVERY_SECONDS = 60 * 60;

/** Deletes what is older than RETENTION_DAYS. */
export const APPLY_RETENTION = defineJob<Record<string, never>>('apply-retention', {
  retryLimit: 2,
  retryDelay: 60,
  heartbeatSeconds: 30,
  expireInSeconds: 12 * 60 * 60,
  deleteAfterSeconds: 24 * 60 * 60,
});

/** Edits that one transaction deletes. */
const BATCH = 50;

const DAY_MS = 24 * 60 * 60 * 1_000;

/** Position of an edit in the order of creation; the time as Postgres writes it. */
interface Place {
  readonly id: string;
  readonly createdAt: string;
}

/**
 * Deletes final edits of all owners that were created more than `days` days ago, then unused uploads
 * of that age. In batches, while the service is idle; the next run deletes what a shutdown leaves.
 */
export function createApplyRetention(options: {
  prisma: PrismaClient;
  deleteEdits: Pick<DeleteEdits, 'batch'>;
  deleteUnusedImages: DeleteUnusedImages;
  days: number;
  /** @default Date.now */
  now?: () => number;
  idleGate: IdleGate;
  log: Log;
}) {
  const { prisma, deleteEdits, deleteUnusedImages, days, now = Date.now, idleGate, log } = options;

  /** The next batch, by the index of ended edits over their creation. */
  const find = (before: Date, after: Place) => ofAllOwners(prisma).$queryRaw<Place[]>`
    SELECT id, "createdAt"::text AS "createdAt" FROM "EditJob"
    WHERE "deletedAt" IS NULL AND "createdAt" < ${before}
      AND ("createdAt", id) > (${after.createdAt}::timestamptz, ${after.id}::uuid)
      AND "finishedAt" IS NOT NULL
    ORDER BY "createdAt", id LIMIT ${BATCH}`;

  return async (_: object, signal: AbortSignal): Promise<void> => {
    const before = new Date(now() - days * DAY_MS);
    const deleted = { edits: 0, images: 0, unusedImages: 0 };
    using _progress = logProgress(log, 'deleting old edits and uploads', () => deleted);
    let last: Place | undefined = BEFORE_ALL;
    while (last !== undefined) {
      await idleGate.wait(signal);
      signal.throwIfAborted();
      const batch: Place[] = await find(before, last);
      last = batch.at(-1);
      if (last === undefined) break;
      const { edits, images } = await deleteEdits.batch(batch.map(({ id }) => id));
      deleted.edits += edits;
      deleted.images += images;
    }
    deleted.unusedImages = await deleteUnusedImages(before, signal);
    log.info({ ...deleted, before }, 'deleted edits and uploads older than RETENTION_DAYS');
  };
}

const BEFORE_ALL: Place = { id: '00000000-0000-0000-0000-000000000000', createdAt: '-infinity' };
