import type { PrismaClient } from '../database/database.ts';
import type { OpenImages } from '../images/open-images.ts';
import { createDeleteUnusedImages } from '../images/receive/unused-images.ts';
import type { Log } from '../log.ts';
import type { IdleGate } from '../queue/idle-gate.ts';
import type { OpenQueue } from '../queue/open-queue.ts';
import type { RecurringWork } from '../queue/recurring-jobs.ts';
import { createDeleteEdits } from './deletion/delete-edits.ts';
import { createForgetEdits, FORGET_EDITS } from './deletion/forget-edits.ts';
import {
  APPLY_RETENTION,
  APPLY_RETENTION_EVERY_SECONDS,
  createApplyRetention,
} from './deletion/retention.ts';
import type { OpenEdits } from './open-edits.ts';
import type { AnswerFiles } from './run/answer-files.ts';
import {
  createSweepAnswers,
  SWEEP_ANSWERS,
  SWEEP_ANSWERS_EVERY_SECONDS,
} from './run/stored-answers.ts';
import {
  createDeleteOldResponses,
  DELETE_OLD_RESPONSES,
  DELETE_OLD_RESPONSES_EVERY_SECONDS,
} from './submit/delete-old-responses.ts';

/** Starts to delete what was deleted from the history, and what is too old. */
export async function startEditJobs(
  options: OpenQueue & {
    prisma: PrismaClient;
    images: Pick<OpenImages, 'blobs'>;
    edits: Pick<OpenEdits, 'responses' | 'storedAnswers'>;
    answerFiles: AnswerFiles;
    recurring: RecurringWork;
    idleGate: IdleGate;
    /** Null to keep the history forever. */
    retentionDays: number | null;
    log: Log;
  },
): Promise<void> {
  const { prisma, queue, events, answerFiles, recurring, idleGate, log } = options;
  const { retentionDays: days } = options;
  const { responses, storedAnswers } = options.edits;
  const { blobs } = options.images;
  queue.work(FORGET_EDITS, {
    concurrency: 1,
    handle: createForgetEdits({ prisma, queue, answerFiles, storedAnswers }),
  });
  queue.work(SWEEP_ANSWERS, {
    concurrency: 1,
    handle: createSweepAnswers({ storedAnswers, log }),
  });
  await recurring.start(SWEEP_ANSWERS, { everySeconds: SWEEP_ANSWERS_EVERY_SECONDS });
  queue.work(DELETE_OLD_RESPONSES, {
    concurrency: 1,
    handle: createDeleteOldResponses({ responses }),
  });
  await recurring.start(DELETE_OLD_RESPONSES, {
    everySeconds: DELETE_OLD_RESPONSES_EVERY_SECONDS,
  });
  if (days === null) return;
  queue.work(APPLY_RETENTION, {
    concurrency: 1,
    handle: createApplyRetention({
      prisma,
      deleteEdits: createDeleteEdits({ prisma, queue, events }),
      deleteUnusedImages: createDeleteUnusedImages({ prisma, queue, events, blobs }),
      days,
      idleGate,
      log,
    }),
  });
  await recurring.start(APPLY_RETENTION, { everySeconds: APPLY_RETENTION_EVERY_SECONDS });
}
