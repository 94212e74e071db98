import type { Config } from '../config/config.ts';
import { createDeleteEdits } from '../edits/deletion/delete-edits.ts';
import { createForgetEdits, FORGET_EDITS } from '../edits/deletion/forget-edits.ts';
import {
  APPLY_RETENTION,
  APPLY_RETENTION_EVERY_SECONDS,
  createApplyRetention,
} from '../edits/deletion/retention.ts';
import type { AnswerFiles } from '../edits/run/answer-files.ts';
import {
  createSweepAnswers,
  SWEEP_ANSWERS,
  SWEEP_ANSWERS_EVERY_SECONDS,
} from '../edits/run/stored-answers.ts';
import { createDeleteUnusedImages } from '../images/receive/unused-images.ts';
import {
  createBlobRemover,
  createRemoveBlobs,
  REMOVE_BLOBS,
} from '../images/storage/remove-blobs.ts';
import {
  createSweepBlobs,
  SWEEP_BLOBS,
  SWEEP_BLOBS_EVERY_SECONDS,
} from '../images/storage/sweep-blobs.ts';
import type { Log } from '../log.ts';
import { createRecurringWork } from '../queue/recurring-jobs.ts';
import type { Foundation, Stops } from './shared-parts.ts';

/** Begins to delete what was deleted, what has grown too old, and what nobody refers to. */
export async function startHousekeeping(options: {
  foundation: Foundation;
  config: Config;
  answerFiles: AnswerFiles;
  log: Log;
  stops: Stops;
}): Promise<void> {
  const { foundation, config, answerFiles, log, stops } = options;
  const { prisma, queue, events, blobs, lull } = foundation;
  const { retentionDays: days } = config;
  const remover = createBlobRemover({ prisma, blobs });
  const recurring = createRecurringWork({ prisma, queue, log });
  stops.unshift(() => recurring.stop());

  queue.work(REMOVE_BLOBS, {
    concurrency: 1,
    handle: createRemoveBlobs({ prisma, queue, remover, log }),
  });
  queue.work(FORGET_EDITS, {
    concurrency: 1,
    handle: createForgetEdits({
      prisma,
      queue,
      answerFiles,
      storedAnswers: foundation.storedAnswers,
    }),
  });
  queue.work(SWEEP_BLOBS, {
    concurrency: 1,
    handle: createSweepBlobs({ prisma, blobs, remover, lull, log }),
  });
  await recurring.start(SWEEP_BLOBS, { everySeconds: SWEEP_BLOBS_EVERY_SECONDS });
  queue.work(SWEEP_ANSWERS, {
    concurrency: 1,
    handle: createSweepAnswers({ storedAnswers: foundation.storedAnswers, log }),
  });
  await recurring.start(SWEEP_ANSWERS, { everySeconds: SWEEP_ANSWERS_EVERY_SECONDS });
  if (days === null) return;
  queue.work(APPLY_RETENTION, {
    concurrency: 1,
    handle: createApplyRetention({
      prisma,
      deleteEdits: createDeleteEdits({ prisma, queue, events }),
      deleteUnusedImages: createDeleteUnusedImages({ prisma, queue, blobs }),
      days,
      lull,
      log,
    }),
  });
  await recurring.start(APPLY_RETENTION, { everySeconds: APPLY_RETENTION_EVERY_SECONDS });
}
