import type { Viewer } from '../../auth/viewer.ts';
import type { PrismaClient } from '../../database/database.ts';
import { JobNotDeletableError, NotFoundError } from '../../errors.ts';
import { REMOVE_BLOBS } from '../../images/storage/remove-blobs.ts';
import type { Events } from '../../queue/events.ts';
import type { Queue } from '../../queue/queue.ts';
import { isFinal } from '../edit-status.ts';
import { inHistory } from '../history/in-history.ts';
import { deleteRows } from './delete-rows.ts';
import { FORGET_EDITS } from './forget-edits.ts';

/** Deletes edits from the history permanently. Their costs stay: see docs/retention.md. */
export interface DeleteEdits {
  /** @throws NotFoundError; JobNotDeletableError if it is not final. */
  one(viewer: Viewer, id: string): Promise<{ id: string }>;
  /**
   * Of any owner, in one transaction; edits that are not final, or deleted already, are left as they
   * are. Queue jobs, sent in the same transaction, delete the files. Returns how many edits and images
   * were deleted.
   */
  batch(ids: readonly string[]): Promise<{ edits: number; images: number }>;
}

export function createDeleteEdits(options: {
  prisma: PrismaClient;
  queue: Queue;
  events: Events;
  /**
   * Called with the owner of deleted edits as soon as they are deleted, for caches of this process,
   * which would otherwise learn of it a moment later.
   */
  onDeleted?: (ownerId: string) => void;
}): DeleteEdits {
  const { prisma, queue, events, onDeleted = () => {} } = options;

  async function batch(ids: readonly string[]) {
    const { jobs, images } = await inTransaction(ids);
    for (const ownerId of new Set(jobs.map((job) => job.ownerId))) onDeleted(ownerId);
    return { edits: jobs.length, images };
  }

  const inTransaction = (ids: readonly string[]) =>
    prisma.$transaction(async (tx) => {
      const { jobs, attemptIds, keys } = await deleteRows(tx, ids);
      if (jobs.length > 0) {
        const jobIds = jobs.map(({ id }) => id);
        await queue.send(tx, FORGET_EDITS, { jobIds, attemptIds });
        if (keys.length > 0) await queue.send(tx, REMOVE_BLOBS, { keys });
        const deletions = jobs.map(
          ({ id: jobId, ownerId }) =>
            ({ kind: 'edit', jobId, ownerId, final: true, deleted: true }) as const,
        );
        await events.publish(tx, ...deletions);
      }
      return { jobs, images: keys.length };
    });

  return {
    batch,
    async one(viewer, id) {
      const job = await prisma.editJob.findFirst({
        where: { id, ...inHistory(viewer) },
        select: { status: true },
      });
      if (job === null) throw new NotFoundError('EditJob', id);
      if (!isFinal(job.status)) throw new JobNotDeletableError(job.status);
      const { edits } = await batch([id]);
      // Deleted by another request meanwhile.
      if (edits === 0) throw new NotFoundError('EditJob', id);
      return { id };
    },
  };
}
