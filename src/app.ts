import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LOCAL_VIEWER } from './auth/viewer.ts';
import type { Config } from './config.ts';
import { createAvailability } from './database/availability.ts';
import type { Database } from './database/database.ts';
import { migrate } from './database/migrations.ts';
import { openPglite } from './database/pglite.ts';
import { openPostgres } from './database/postgres.ts';
import { createDiskSpace } from './disk-space.ts';
import { createAnswerFiles } from './edits/answer-files.ts';
import { createAttempts } from './edits/attempts.ts';
import { createBacklog } from './edits/backlog.ts';
import { createCancelEdit } from './edits/cancel-edit.ts';
import { createChooseUpstream, createFreePlaces } from './edits/choose-upstream.ts';
import { createEditEndings } from './edits/edit-endings.ts';
import { RUN_EDIT } from './edits/edit-queue.ts';
import { createEditSubscriptions } from './edits/edit-subscriptions.ts';
import { createEditWaits } from './edits/edit-waits.ts';
import { createEdits } from './edits/edits.ts';
import { createPartialImages } from './edits/partial-images.ts';
import { createPauses } from './edits/pauses.ts';
import { createRecovery } from './edits/recovery.ts';
import { createRunEdit } from './edits/run-edit.ts';
import { createRunningEdits } from './edits/running-edits.ts';
import { createWorkerPresence } from './edits/workers.ts';
import { createModels, readModelsFile } from './edits-api/models.ts';
import { createEvents } from './events.ts';
import { createGraphql } from './http/graphql.ts';
import { createGraphqlSockets } from './http/graphql-sockets.ts';
import { createHealth } from './http/health.ts';
import { createImageRoute } from './http/image-route.ts';
import { createRequestOrigins } from './http/origin.ts';
import { createHttpServer } from './http/server.ts';
import { blobKey } from './images/blob-key.ts';
import { configureSharp } from './images/configure-sharp.ts';
import { createFsBlobStore } from './images/fs-blob-store.ts';
import { createStaging } from './images/fs-staging.ts';
import { createImages, mediaOf } from './images/images.ts';
import {
  createMakeThumbnails,
  createThumbnailRequests,
  MAKE_THUMBNAILS,
} from './images/make-thumbnails.ts';
import { createThumbnails } from './images/thumbnails.ts';
import { createUploads } from './images/uploads.ts';
import type { Log } from './log.ts';
import { createLull } from './lull.ts';
import { createAddressGuard } from './net/address-guard.ts';
import { createAllowedHosts } from './net/allowed-hosts.ts';
import { openUpstreams } from './open-upstreams.ts';
import { createQueue } from './queue.ts';
import { encodeGlobalId, parseGlobalId } from './schema/global-id.ts';
import { imageUrl } from './schema/image.ts';
import { schema } from './schema/index.ts';
import { createSharedReads } from './schema/shared-reads.ts';
import { openSecretKey } from './secret-key.ts';
import { createUsageReports } from './usage/report.ts';
import { createDeliverWebhook } from './webhooks/deliver-webhook.ts';
import { DELIVER_WEBHOOK } from './webhooks/delivery-queue.ts';
import { createPostWebhook } from './webhooks/post-webhook.ts';
import { createPublishEnd } from './webhooks/publish-end.ts';
import { createWebhooks } from './webhooks/webhooks.ts';

/** Left over by a process that was killed: nothing receives a file for a day. */
const STAGED_MAX_AGE_MS = 24 * 60 * 60 * 1_000;

/** Raw answers that were of no use stay for a look. */
const ANSWER_MAX_AGE_MS = 30 * 24 * 60 * 60 * 1_000;

/** How long a stop waits for responses under way after the edits that they wait for have ended. */
const RESPONSES_GRACE_MS = 5_000;

/** An edit that could not be sent for a day is given up. */
const RETRY_MAX_AGE_MS = 24 * 60 * 60 * 1_000;

const WEBHOOK_TIMEOUT_MS = 15_000;
const CONCURRENT_WEBHOOKS = 32;

export interface App {
  /** Where clients reach it. */
  readonly url: string;
  /**
   * Takes no new work, waits `shutdownGraceMs` for running edits, then aborts the rest. Idempotent.
   */
  stop(): Promise<void>;
}

/**
 * Builds every part, starts them in order, and stops them in reverse.
 * @throws when a part cannot start; those already started are stopped then.
 */
export async function startApp({ config, log }: { config: Config; log: Log }): Promise<App> {
  // In the order in which they have to stop.
  const stops: (() => unknown)[] = [];
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= runAll(stops));
  try {
    return { url: await start(config, log, stops), stop };
  } catch (error) {
    await stop().catch((failure) => log.error({ err: failure }, 'stop failed'));
    throw error;
  }
}

async function runAll(stops: readonly (() => unknown)[]): Promise<void> {
  for (const stop of stops) await stop();
}

async function start(config: Config, log: Log, stops: (() => unknown)[]): Promise<string> {
  const { limits } = config;
  const dirs = {
    blobs: join(config.dataDir, 'blobs'),
    staging: join(config.dataDir, 'staging'),
    answers: join(config.dataDir, 'answers'),
  };
  await Promise.all(Object.values(dirs).map((dir) => mkdir(dir, { recursive: true })));
  configureSharp({ threads: 1 });

  const overrides = config.models.file ? await readModelsFile(config.models.file) : [];
  const models = createModels({ ...config.models, overrides });

  const database = await openDatabase(config, log);
  stops.unshift(() => database.close());
  await migrate({ database, log });
  const { prisma } = database;

  const events = createEvents({ database, log });
  await events.start();
  stops.unshift(() => events.stop());

  const alone = database.kind === 'pglite';
  const presence = createWorkerPresence({
    prisma,
    alone,
    timeoutMs: limits.workerTimeoutMs,
    log,
  });
  await presence.start();
  stops.unshift(() => presence.stop());

  const staging = createStaging({ dir: dirs.staging, owner: presence.id });
  await staging.sweep(STAGED_MAX_AGE_MS);
  const answerFiles = createAnswerFiles({ dir: dirs.answers });
  await answerFiles.sweep(ANSWER_MAX_AGE_MS);
  const blobs = createFsBlobStore({ dir: dirs.blobs });
  const thumbnails = createThumbnails({ blobs, staging, maxPixels: limits.imagePixels });
  const images = createImages({ prisma, blobs });
  const lull = createLull();
  const uploads = createUploads({
    prisma,
    images,
    staging,
    lull,
    maxBytes: limits.imageBytes,
    maxPixels: limits.imagePixels,
  });

  const { upstreams, close } = await openUpstreams({ editsApi: config.editsApi, staging, log });
  stops.unshift(close);

  const secretKey = await openSecretKey({
    configured: config.secretKey,
    file: database.kind === 'pglite' ? join(config.dataDir, 'secret.key') : null,
  });
  const isAllowedHost = createAllowedHosts(config.webhooks.allowedHosts);
  const webhookGuard = createAddressGuard({ allow: isAllowedHost });
  stops.unshift(() => webhookGuard.close());

  const queue = createQueue({ database, events, log });
  await queue.start([RUN_EDIT, MAKE_THUMBNAILS, DELIVER_WEBHOOK], { alone });
  stops.unshift(() => queue.stop({ graceMs: 0 }));
  const endings = createEditEndings({ prisma, events, log });
  stops.unshift(() => endings.stop());
  const editWaits = createEditWaits({ endings });
  const editSubscriptions = createEditSubscriptions({ prisma, events, log });
  const sandbox = config.editsApi.kind === 'sandbox';
  const backlog = createBacklog({ prisma, maxQueued: limits.queuedEdits });
  const edits = createEdits({ prisma, queue, images, models, backlog, sandbox });
  const onEnd = createPublishEnd({ queue });
  const pauses = createPauses({ prisma });
  const chooseUpstream = createChooseUpstream({ upstreams, pauses });
  const attempts = createAttempts({
    prisma,
    events,
    queue,
    images,
    upstreams,
    chooseUpstream,
    onEnd,
  });
  const runningEdits = createRunningEdits({ endings });
  const thumbnailRequests = createThumbnailRequests({
    lull,
    send: (data) => queue.send(prisma, MAKE_THUMBNAILS, data),
    log,
  });
  stops.unshift(() => thumbnailRequests.stop());
  const runEdit = createRunEdit({
    attempts,
    runningEdits,
    images,
    partialImages: createPartialImages({ prisma, events, images }),
    blobs,
    pauses,
    upstreams,
    workerId: presence.id,
    answerFiles,
    diskSpace: createDiskSpace({ dir: config.dataDir, minFreeBytes: limits.minFreeDiskBytes }),
    timeoutMs: limits.editTimeoutMs,
    retryPolicy: { maxAttempts: limits.editAttempts, maxAgeMs: RETRY_MAX_AGE_MS },
    log,
    onSucceeded: thumbnailRequests.request,
  });
  const recovery = createRecovery({
    prisma,
    attempts,
    runEdit,
    upstreams,
    presence,
    answerFiles,
    staging,
    workerTimeoutMs: limits.workerTimeoutMs,
    log,
  });
  await recovery.start();
  stops.unshift(() => recovery.stop());
  queue.work(RUN_EDIT, {
    concurrency: limits.concurrentEdits,
    places: createFreePlaces({ prisma, upstreams, pauses, workerId: presence.id }),
    handle: (data, signal) => lull.busyWith(() => runEdit.run(data, signal)),
  });
  queue.work(MAKE_THUMBNAILS, {
    concurrency: 1,
    handle: createMakeThumbnails({ prisma, thumbnails, lull, log }),
  });

  const availability = createAvailability({ prisma });
  const health = createHealth({ availability });
  const graphql = createGraphql({
    schema,
    services: {
      prisma,
      edits,
      cancelEdit: createCancelEdit({ prisma, events, onEnd }),
      editWaits,
      editSubscriptions,
      sharedReads: createSharedReads(),
      images,
      uploads,
      blobs,
      models,
      upstreams,
      pauses,
      usageReports: createUsageReports({ prisma }),
      webhooks: createWebhooks({ prisma, queue, secretKey, isAllowedHost }),
    },
    sandbox,
    maxFileBytes: limits.imageBytes,
    maxConcurrentUploadBytes: limits.concurrentUploadBytes,
    log,
  });
  const graphqlSockets = createGraphqlSockets({ graphql });
  const server = createHttpServer({
    host: config.http.host,
    port: config.http.port,
    origins: createRequestOrigins({
      publicUrl: config.http.publicUrl,
      anyHost: config.http.allowAnonymous,
    }),
    viewer: LOCAL_VIEWER,
    graphql: graphql.yoga,
    graphqlSockets,
    imageRoute: createImageRoute({
      find: async (viewer, globalId) => {
        const id = parseGlobalId(globalId);
        if (id?.typename !== 'Image') return null;
        const image = await images.find(viewer, id.id);
        return image && { ...image, format: mediaOf(image.format).name, key: blobKey(image) };
      },
      blobs,
      thumbnails,
      onError: (error, imageId) => log.error({ err: error, imageId }, 'picture not served'),
    }),
    health,
    availability,
    log,
  });
  const { url } = await server.start();
  stops.unshift(
    () => health.stopping(),
    () => server.refuse(),
    () => queue.drain({ graceMs: limits.shutdownGraceMs }),
    // Who waited for an edit was answered when it ended, and is now answered with it as it is.
    () => editWaits.stop(),
    // Open streams would hold the server's stop up.
    () => graphqlSockets.stop(),
    () => editSubscriptions.stop(),
    () => server.stop({ graceMs: RESPONSES_GRACE_MS }),
  );
  const baseUrl = config.http.publicUrl ?? url;
  queue.work(DELIVER_WEBHOOK, {
    concurrency: CONCURRENT_WEBHOOKS,
    handle: createDeliverWebhook({
      prisma,
      queue,
      post: createPostWebhook({ guard: webhookGuard, timeoutMs: WEBHOOK_TIMEOUT_MS }),
      secretKey,
      links: { globalId: encodeGlobalId, imageUrl: (id) => imageUrl(baseUrl, id) },
      log,
    }),
  });
  return baseUrl;
}

async function openDatabase({ database }: Config, log: Log): Promise<Database> {
  return database.kind === 'pglite'
    ? openPglite({ dir: database.dir, log })
    : openPostgres({ url: database.url, log });
}
