import type { Config } from '../config/config.ts';
import { createDiskSpace } from '../config/data-dir/disk-space.ts';
import type { StorageAccess } from '../config/data-dir/storage-access.ts';
import type { PrismaClient } from '../database/database.ts';
import type { ReadSaved } from '../edits-api/edits-api.ts';
import type { Upstreams } from '../edits-api/upstreams.ts';
import type { OpenImages } from '../images/open-images.ts';
import { createDeleteUnusedImages } from '../images/receive/unused-images.ts';
import { createThumbnailRequests, MAKE_THUMBNAILS } from '../images/thumbnails/make-thumbnails.ts';
import type { Budgets } from '../limits/budgets.ts';
import type { Log } from '../log.ts';
import type { Models } from '../models/models.ts';
import type { PriceTable } from '../models/prices.ts';
import type { Lull } from '../queue/idle-gate.ts';
import type { OpenQueue } from '../queue/open-queue.ts';
import type { RecurringWork } from '../queue/recurring-jobs.ts';
import { createDeleteEdits } from './deletion/delete-edits.ts';
import { createForgetEdits, FORGET_EDITS } from './deletion/forget-edits.ts';
import {
  APPLY_RETENTION,
  APPLY_RETENTION_EVERY_SECONDS,
  createApplyRetention,
} from './deletion/retention.ts';
import { RUN_EDIT } from './edit-queue.ts';
import { createCancelEdit } from './end/cancel-edit.ts';
import type { EndEdit } from './end/end-edit.ts';
import { createHistory } from './history/history.ts';
import { createEstimateEdit } from './input/estimate-edit.ts';
import { createLineage } from './lineage/lineage.ts';
import { createPrompts } from './prompts/prompts.ts';
import { type AnswerFiles, createAnswerFiles } from './run/answer-files.ts';
import { createAttempts } from './run/attempts.ts';
import { createCallUpstream } from './run/call-upstream.ts';
import { createChooseUpstream, createFreePlaces } from './run/choose-upstream.ts';
import { createEditRequests } from './run/edit-request.ts';
import { createFinishAttempt } from './run/finish-attempt.ts';
import { createPartialImages } from './run/partial-images.ts';
import type { Processes } from './run/processes.ts';
import { createRecoverAttempt } from './run/recover-attempt.ts';
import { createRecovery } from './run/recovery.ts';
import { createRereadAnswer } from './run/reread-answer.ts';
import { createRunEdit } from './run/run-edit.ts';
import {
  createStoreAnswer,
  createStoredAnswers,
  createSweepAnswers,
  type StoredAnswers,
  SWEEP_ANSWERS,
  SWEEP_ANSWERS_EVERY_SECONDS,
} from './run/stored-answers.ts';
import { createPauses, type Pauses } from './run/upstream-pauses.ts';
import { createBacklog } from './submit/backlog.ts';
import { createCostBound } from './submit/cost-bound.ts';
import { createEdits } from './submit/edits.ts';
import { createReserveCost } from './submit/reserve-cost.ts';
import { createSubmitAndWait } from './submit/submit-and-wait.ts';
import { createEditSubscriptions } from './watch/edit-subscriptions.ts';
import { createEditWaits } from './watch/edit-waits.ts';
import { createFinalEvents, type FinalEvents } from './watch/final-events.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;

/** A queued edit that could not be sent for this long fails. */
const RETRY_MAX_AGE_MS = DAY_MS;

/** Shared by the two halves below. */
export interface OpenEdits {
  readonly finalEvents: FinalEvents;
  readonly pauses: Pauses;
  readonly storedAnswers: StoredAnswers;
  close(): void;
}

/** The parts of other modules that both halves use. */
interface Lower extends OpenQueue {
  readonly prisma: PrismaClient;
  readonly images: OpenImages;
  readonly prices: PriceTable;
  readonly endEdit: EndEdit;
}

export function openEdits(
  options: Pick<Lower, 'prisma' | 'events' | 'images'> & {
    answerRetentionDays: number;
    log: Log;
  },
): OpenEdits {
  const { prisma, events, log } = options;
  const { blobs } = options.images;
  const finalEvents = createFinalEvents({ prisma, events, log });
  return {
    finalEvents,
    pauses: createPauses({ prisma }),
    storedAnswers: createStoredAnswers({ prisma, blobs, maxAgeDays: options.answerRetentionDays }),
    close: finalEvents.stop,
  };
}

/** The half that submits, cancels, deletes and finds edits; it runs none. */
export function createEditService(
  options: Lower & {
    edits: OpenEdits;
    budgets: Budgets;
    models: Models;
    /** Reads a stored response as its upstream's client would. */
    readerOf: (upstream: string | null) => ReadSaved;
    sandbox: boolean;
    maxQueued: number;
    log: Log;
  },
) {
  const { prisma, queue, events, prices, endEdit, budgets, models, sandbox, log } = options;
  const { finalEvents, storedAnswers } = options.edits;
  const { images } = options.images;
  const backlog = createBacklog({ prisma, maxQueued: options.maxQueued });
  const costBound = createCostBound({ prisma, models, prices });
  const reserveCost = createReserveCost({ budgets, models, costBound });
  const history = createHistory({ prisma });
  const editWaits = createEditWaits({ finalEvents });
  const services = {
    edits: createEdits({ prisma, queue, images, models, backlog, budgets, reserveCost, sandbox }),
    estimateEdit: createEstimateEdit({ models, prices, costBound, sandbox }),
    cancelEdit: createCancelEdit({ prisma, endEdit }),
    deleteEdits: createDeleteEdits({ prisma, queue, events }),
    rereadAnswer: createRereadAnswer({
      prisma,
      images,
      storedAnswers,
      endEdit,
      readerOf: options.readerOf,
      onSucceeded: (jobId) => queue.send(prisma, MAKE_THUMBNAILS, { jobIds: [jobId] }),
      log,
    }),
    submitAndWait: createSubmitAndWait({ editWaits }),
    history,
    lineage: createLineage({ prisma }),
    prompts: createPrompts({ prisma }),
    editSubscriptions: createEditSubscriptions({ prisma, history, events, log }),
  };
  return { services, editWaits };
}

/** The half that runs edits. */
export interface EditRunner {
  readonly answerFiles: AnswerFiles;
  /** Ends no edit: drain the queue first. */
  close(): Promise<void>;
}

/**
 * Ends the attempts of crashed processes, then starts to run edits.
 * @param options.answersDir Where responses are stored while they arrive.
 */
export async function openEditRunner(
  options: Lower & {
    edits: OpenEdits;
    processes: Processes;
    upstreams: Upstreams;
    lull: Lull;
    storageAccess: StorageAccess;
    answersDir: string;
    config: Pick<
      Config,
      'answerRetentionDays' | 'dataDir' | 'editsApi' | 'forwardMetadata' | 'limits'
    >;
    log: Log;
  },
): Promise<EditRunner> {
  const { prisma, events, queue, upstreams, processes, lull, storageAccess, config, log } = options;
  const { images, blobs, staging } = options.images;
  const { finalEvents, pauses } = options.edits;
  const { limits } = config;
  await using opened = new AsyncDisposableStack();

  const answerFiles = createAnswerFiles({ dir: options.answersDir });
  await answerFiles.sweep(config.answerRetentionDays * DAY_MS);
  const storeAnswer = createStoreAnswer({ prisma, blobs, answerFiles });
  const attempts = createAttempts({
    prisma,
    events,
    queue,
    upstreams,
    chooseUpstream: createChooseUpstream({ upstreams, pauses }),
    sandbox: config.editsApi.kind === 'sandbox',
    endEdit: options.endEdit,
  });
  const send = (data: { jobIds: string[] }) => queue.send(prisma, MAKE_THUMBNAILS, data);
  const thumbnailRequests = opened.adopt(createThumbnailRequests({ lull, send, log }), (it) =>
    it.stop(),
  );
  const finishAttempt = createFinishAttempt({
    attempts,
    images,
    answerFiles,
    pauses,
    upstreams,
    retryPolicy: { maxAttempts: limits.editAttempts, maxAgeMs: RETRY_MAX_AGE_MS },
    log,
    onSucceeded: thumbnailRequests.request,
  });
  const runEdit = createRunEdit({
    attempts,
    finalEvents,
    callUpstream: createCallUpstream({
      requests: createEditRequests({ prisma, blobs, forwardMetadata: config.forwardMetadata }),
      partialImages: createPartialImages({ prisma, events, images }),
      answerFiles,
      timeoutMs: limits.editTimeoutMs,
    }),
    finishAttempt,
    pauses,
    processId: processes.id,
    answerFiles,
    storeAnswer,
    diskSpace: createDiskSpace({ dir: config.dataDir, minFreeBytes: limits.minFreeDiskBytes }),
    storageAccess,
    log,
  });
  const recovery = opened.adopt(
    createRecovery({
      prisma,
      recoverAttempt: createRecoverAttempt({
        prisma,
        attempts,
        finishAttempt,
        upstreams,
        answerFiles,
        storeAnswer,
        storageAccess,
      }),
      processes,
      answerFiles,
      storeAnswer,
      staging,
      processTimeoutMs: limits.workerTimeoutMs,
      log,
    }),
    (it) => it.stop(),
  );
  await recovery.start();

  queue.work(RUN_EDIT, {
    concurrency: limits.concurrentEdits,
    places: createFreePlaces({ prisma, upstreams, pauses, processId: processes.id }),
    handle: (data, signal) => lull.busyWith(() => runEdit(data, signal)),
  });
  const parts = opened.move();
  return { answerFiles, close: () => parts.disposeAsync() };
}

/** Starts to delete what was deleted from the history, and what is too old. */
export async function startEditJobs(
  options: Pick<Lower, 'prisma' | 'queue' | 'events' | 'images'> & {
    storedAnswers: StoredAnswers;
    answerFiles: AnswerFiles;
    recurring: RecurringWork;
    lull: Lull;
    /** Null: the history is kept for ever. */
    retentionDays: number | null;
    log: Log;
  },
): Promise<void> {
  const { prisma, queue, events, storedAnswers, answerFiles, recurring, lull, log } = options;
  const { retentionDays: days } = options;
  queue.work(FORGET_EDITS, {
    concurrency: 1,
    handle: createForgetEdits({ prisma, queue, answerFiles, storedAnswers }),
  });
  queue.work(SWEEP_ANSWERS, {
    concurrency: 1,
    handle: createSweepAnswers({ storedAnswers, log }),
  });
  await recurring.start(SWEEP_ANSWERS, { everySeconds: SWEEP_ANSWERS_EVERY_SECONDS });
  if (days === null) return;
  queue.work(APPLY_RETENTION, {
    concurrency: 1,
    handle: createApplyRetention({
      prisma,
      deleteEdits: createDeleteEdits({ prisma, queue, events }),
      deleteUnusedImages: createDeleteUnusedImages({ prisma, queue, blobs: options.images.blobs }),
      days,
      lull,
      log,
    }),
  });
  await recurring.start(APPLY_RETENTION, { everySeconds: APPLY_RETENTION_EVERY_SECONDS });
}
