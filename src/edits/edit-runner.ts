import type { Config } from '../config/config.ts';
import { createDiskSpace } from '../config/data-dir/disk-space.ts';
import type { StorageAccess } from '../config/data-dir/storage-access.ts';
import type { PrismaClient } from '../database/database.ts';
import type { Upstreams } from '../edits-api/upstreams.ts';
import type { OpenImages } from '../images/open-images.ts';
import { createThumbnailRequests, MAKE_THUMBNAILS } from '../images/thumbnails/make-thumbnails.ts';
import type { Log } from '../log.ts';
import type { IdleGate } from '../queue/idle-gate.ts';
import type { OpenQueue } from '../queue/open-queue.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Traces } from '../telemetry/traces.ts';
import { RUN_EDIT } from './edit-queue.ts';
import type { OpenEdits } from './open-edits.ts';
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
import { createRunEdit } from './run/run-edit.ts';
import { createStoreAnswer } from './run/stored-answers.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;

/** A queued edit that could not be sent for this long fails. */
const RETRY_MAX_AGE_MS = DAY_MS;

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
  options: OpenQueue & {
    prisma: PrismaClient;
    images: OpenImages;
    edits: OpenEdits;
    processes: Processes;
    upstreams: Upstreams;
    idleGate: IdleGate;
    storageAccess: StorageAccess;
    traces: Traces;
    answersDir: string;
    /** A pseudonym of an owner. Null: there is only one owner. */
    safetyIdentifierOf: ((ownerId: string) => string) | null;
    config: Pick<
      Config,
      'answerRetentionDays' | 'dataDir' | 'editsApi' | 'forwardMetadata' | 'limits'
    >;
    metrics: Metrics;
    log: Log;
  },
): Promise<EditRunner> {
  const { prisma, events, queue, upstreams, processes, idleGate, storageAccess, config, log } =
    options;
  const { metrics, traces } = options;
  const { images, blobs, staging } = options.images;
  const { endEdit, finalEvents, pauses } = options.edits;
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
    endEdit,
  });
  const send = (data: { jobIds: string[] }) => queue.send(prisma, MAKE_THUMBNAILS, data);
  const thumbnailRequests = opened.adopt(createThumbnailRequests({ idleGate, send, log }), (it) =>
    it.stop(),
  );
  const finishAttempt = createFinishAttempt({
    attempts,
    images,
    answerFiles,
    pauses,
    upstreams,
    traces,
    retryPolicy: { maxAttempts: limits.editAttempts, maxAgeMs: RETRY_MAX_AGE_MS },
    log,
    onSucceeded: thumbnailRequests.request,
  });
  const runEdit = createRunEdit({
    attempts,
    finalEvents,
    callUpstream: createCallUpstream({
      requests: createEditRequests({
        prisma,
        blobs,
        forwardMetadata: config.forwardMetadata,
        safetyIdentifierOf: options.safetyIdentifierOf,
      }),
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
    traces,
    metrics,
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
        traces,
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
    handle: (data, signal) => idleGate.busyWith(() => runEdit(data, signal)),
  });
  const parts = opened.move();
  return { answerFiles, close: () => parts.disposeAsync() };
}
