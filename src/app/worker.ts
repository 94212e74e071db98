import type { Config } from '../config/config.ts';
import { createDiskSpace } from '../config/data-dir/disk-space.ts';
import { RUN_EDIT } from '../edits/edit-queue.ts';
import { createAnswerFiles } from '../edits/run/answer-files.ts';
import { createAttempts } from '../edits/run/attempts.ts';
import { createCallUpstream } from '../edits/run/call-upstream.ts';
import { createChooseUpstream, createFreePlaces } from '../edits/run/choose-upstream.ts';
import { createEditRequests } from '../edits/run/edit-request.ts';
import { createFinishAttempt } from '../edits/run/finish-attempt.ts';
import { createPartialImages } from '../edits/run/partial-images.ts';
import { createRecoverAttempt } from '../edits/run/recover-attempt.ts';
import { createRecovery } from '../edits/run/recovery.ts';
import { createRunEdit } from '../edits/run/run-edit.ts';
import { createStoreAnswer } from '../edits/run/stored-answers.ts';
import type { KnownUpstream } from '../edits-api/upstreams.ts';
import {
  createMakeThumbnails,
  createThumbnailRequests,
  MAKE_THUMBNAILS,
} from '../images/thumbnails/make-thumbnails.ts';
import type { Log } from '../log.ts';
import { createAddressGuard } from '../net/address-guard.ts';
import { encodeGlobalId } from '../public-ids/global-id.ts';
import { imageUrl } from '../public-ids/image-url.ts';
import { createDeliverWebhook } from '../webhooks/deliver-webhook.ts';
import { DELIVER_WEBHOOK } from '../webhooks/delivery-queue.ts';
import { createPostWebhook } from '../webhooks/post-webhook.ts';
import { startHousekeeping } from './recurring-jobs.ts';
import type { Foundation, Stops } from './shared-parts.ts';
import { openUpstreams } from './upstreams.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;

/** An edit that could not be sent for a day is given up. */
const RETRY_MAX_AGE_MS = DAY_MS;

const WEBHOOK_TIMEOUT_MS = 15_000;
const CONCURRENT_WEBHOOKS = 32;

/** The half that works: edits, what the dead left of them, thumbnails and webhooks. */
export interface WorkerHalf {
  /** With this process's circuits. */
  readonly upstreams: readonly KnownUpstream[];
  /** Begins to deliver webhooks. @param baseUrl Origin of the links to pictures in them. */
  deliverWebhooks(baseUrl: string): void;
  /** Takes no more work, waits `graceMs` for what runs, then aborts it. */
  drain(options: { graceMs: number }): Promise<void>;
}

/** Looks after the edits of the dead, then begins to take work. */
export async function startWorker(options: {
  foundation: Foundation;
  config: Config;
  log: Log;
  stops: Stops;
}): Promise<WorkerHalf> {
  const { foundation, config, log, stops } = options;
  const { limits } = config;
  const { prisma, events, queue, images, blobs, staging, thumbnails, lull } = foundation;
  const { processes, pauses, finalEvents, endEdit, storageAccess } = foundation;

  const answerFiles = createAnswerFiles({ dir: foundation.dirs.answers });
  await answerFiles.sweep(config.answerRetentionDays * DAY_MS);
  const storeAnswer = createStoreAnswer({ prisma, blobs, answerFiles });
  const { upstreams, close } = await openUpstreams({
    editsApi: config.editsApi,
    proxies: config.outboundProxies,
    staging,
    log,
  });
  stops.unshift(close);
  const webhookGuard = createAddressGuard({
    allow: foundation.isAllowedHost,
    proxies: config.outboundProxies,
  });
  stops.unshift(() => webhookGuard.close());
  // After a start that failed, too, nothing runs any more that needs what is closed above.
  stops.unshift(() => queue.drain({ graceMs: 0 }));

  const attempts = createAttempts({
    prisma,
    events,
    queue,
    upstreams,
    chooseUpstream: createChooseUpstream({ upstreams, pauses }),
    sandbox: config.editsApi.kind === 'sandbox',
    endEdit,
  });
  const thumbnailRequests = createThumbnailRequests({
    lull,
    send: (data) => queue.send(prisma, MAKE_THUMBNAILS, data),
    log,
  });
  stops.unshift(() => thumbnailRequests.stop());
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
  const recoverAttempt = createRecoverAttempt({
    prisma,
    attempts,
    finishAttempt,
    upstreams,
    answerFiles,
    storeAnswer,
    storageAccess,
  });
  const recovery = createRecovery({
    prisma,
    recoverAttempt,
    processes,
    answerFiles,
    storeAnswer,
    staging,
    processTimeoutMs: limits.workerTimeoutMs,
    log,
  });
  await recovery.start();
  stops.unshift(() => recovery.stop());

  queue.work(RUN_EDIT, {
    concurrency: limits.concurrentEdits,
    places: createFreePlaces({ prisma, upstreams, pauses, processId: processes.id }),
    handle: (data, signal) => lull.busyWith(() => runEdit(data, signal)),
  });
  queue.work(MAKE_THUMBNAILS, {
    concurrency: 1,
    handle: createMakeThumbnails({ prisma, thumbnails, lull, log }),
  });
  await startHousekeeping({ foundation, config, answerFiles, log, stops });

  return {
    upstreams: upstreams.all,
    deliverWebhooks(baseUrl) {
      queue.work(DELIVER_WEBHOOK, {
        concurrency: CONCURRENT_WEBHOOKS,
        handle: createDeliverWebhook({
          prisma,
          queue,
          post: createPostWebhook({ guard: webhookGuard, timeoutMs: WEBHOOK_TIMEOUT_MS }),
          secretKey: foundation.secretKey,
          links: { globalId: encodeGlobalId, imageUrl: (id) => imageUrl(baseUrl, id) },
          log,
        }),
      });
    },
    drain: queue.drain,
  };
}
