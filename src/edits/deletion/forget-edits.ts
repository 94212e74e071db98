import { ofAllOwners } from '../../auth/visible.ts';
import type { PrismaClient } from '../../database/database.ts';
import { defineJob, type Queue } from '../../queue/queue.ts';
import type { AnswerFiles } from '../run/answer-files.ts';
import type { StoredAnswers } from '../run/stored-answers.ts';
import { forgetKeys, KEY_HOURS } from './delete-rows.ts';

interface ForgottenEdits {
  readonly jobIds: readonly string[];
  readonly attemptIds: readonly string[];
}

/** Removes raw responses and idempotency keys of deleted edits. */
export const FORGET_EDITS = defineJob<ForgottenEdits>('forget-edits', {
  retryLimit: 1_000,
  retryDelay: 30,
  retryBackoff: true,
  retryDelayMax: 60 * 60,
  heartbeatSeconds: 30,
  expireInSeconds: 60 * 60,
  deleteAfterSeconds: 60 * 60,
});

/** More than a process may go on writing the response to a canceled edit. */
const WRITING_MS = 60 * 60 * 1_000;

/**
 * Removes raw responses, even one that was still being written when its edit was deleted, and
 * idempotency keys that are old enough. Sends itself again if it has to wait for either.
 */
export function createForgetEdits(options: {
  prisma: PrismaClient;
  queue: Queue;
  answerFiles: Pick<AnswerFiles, 'remove'>;
  storedAnswers: Pick<StoredAnswers, 'remove'>;
}) {
  const { prisma, queue, answerFiles, storedAnswers } = options;
  return async ({ jobIds, attemptIds }: ForgottenEdits): Promise<void> => {
    for (const attemptId of attemptIds) {
      await answerFiles.remove(attemptId);
      await storedAnswers.remove(attemptId);
    }
    await forgetKeys(prisma, jobIds);
    const startAfter = new Date((await waitUntilMs(jobIds)) + MARGIN_MS);
    if (startAfter.getTime() <= Date.now()) return;
    await queue.send(prisma, FORGET_EDITS, { jobIds, attemptIds }, { startAfter });
  };

  async function waitUntilMs(jobIds: readonly string[]): Promise<number> {
    const ids = [...jobIds];
    const [key, job] = await Promise.all([
      ofAllOwners(prisma).idempotencyKey.aggregate({
        where: { jobId: { in: ids } },
        _max: { createdAt: true },
      }),
      ofAllOwners(prisma).editJob.aggregate({
        where: { id: { in: ids } },
        _max: { finishedAt: true },
      }),
    ]);
    return Math.max(
      (key._max.createdAt?.getTime() ?? 0) + KEY_HOURS * 60 * 60 * 1_000,
      (job._max.finishedAt?.getTime() ?? 0) + WRITING_MS,
    );
  }
}

/** The clocks of the database and this process may differ. */
const MARGIN_MS = 60 * 1_000;
