import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LOCAL_VIEWER } from './auth/viewer.ts';
import type { Config } from './config.ts';
import type { Database } from './database/database.ts';
import { migrate } from './database/migrations.ts';
import { openPglite } from './database/pglite.ts';
import { openPostgres } from './database/postgres.ts';
import { createAttempts } from './edits/attempts.ts';
import { createBacklog } from './edits/backlog.ts';
import { createCancelEdit } from './edits/cancel-edit.ts';
import { RUN_EDIT } from './edits/edit-queue.ts';
import { createEditSubscriptions } from './edits/edit-subscriptions.ts';
import { createEditWaits } from './edits/edit-waits.ts';
import { createEdits } from './edits/edits.ts';
import { createPartialImages } from './edits/partial-images.ts';
import { createRecovery } from './edits/recovery.ts';
import { createRunEdit } from './edits/run-edit.ts';
import { createRunningEdits } from './edits/running-edits.ts';
import { createWorkerPresence } from './edits/workers.ts';
import { createEditsApi } from './edits-api/client.ts';
import { createModels, readModelsFile } from './edits-api/models.ts';
import { createSandbox } from './edits-api/sandbox/sandbox.ts';
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
import { createMakeThumbnails, MAKE_THUMBNAILS } from './images/make-thumbnails.ts';
import { createThumbnails } from './images/thumbnails.ts';
import { createUploads } from './images/uploads.ts';
import type { Log } from './log.ts';
import { createQueue } from './queue.ts';
import { parseGlobalId } from './schema/global-id.ts';
import { schema } from './schema/index.ts';
import { createUsageReports } from './usage/report.ts';

/** Left over by a process that was killed: nothing receives a file for a day. */
const STAGED_MAX_AGE_MS = 24 * 60 * 60 * 1_000;

/** An edit that could not be sent for a day is given up. */
const RETRY_MAX_AGE_MS = 24 * 60 * 60 * 1_000;

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

  const staging = createStaging({ dir: dirs.staging });
  await staging.sweep(STAGED_MAX_AGE_MS);
  const blobs = createFsBlobStore({ dir: dirs.blobs });
  const thumbnails = createThumbnails({ blobs, staging, maxPixels: limits.imagePixels });
  const images = createImages({ prisma, blobs });
  const uploads = createUploads({
    prisma,
    images,
    staging,
    maxBytes: limits.imageBytes,
    maxPixels: limits.imagePixels,
  });

  const upstream = await openUpstream(config, log, stops);
  const editsApi = createEditsApi({ ...upstream, staging });
  stops.unshift(() => editsApi.close());

  const queue = createQueue({ database, events, log });
  await queue.start([RUN_EDIT, MAKE_THUMBNAILS]);
  const editWaits = createEditWaits({ prisma, events, log });
  const editSubscriptions = createEditSubscriptions({ prisma, events, log });
  const sandbox = config.editsApi.kind === 'sandbox';
  const backlog = createBacklog({ prisma, maxQueued: limits.queuedEdits });
  const edits = createEdits({ prisma, queue, images, models, backlog, sandbox });
  const presence = createWorkerPresence({ prisma, alone: database.kind === 'pglite', log });
  await presence.start();
  stops.unshift(() => presence.stop());
  const attempts = createAttempts({ prisma, events, queue, images });
  const runningEdits = createRunningEdits({ events });
  stops.unshift(() => runningEdits.stop());
  const runEdit = createRunEdit({
    attempts,
    runningEdits,
    images,
    partialImages: createPartialImages({ prisma, events, images }),
    blobs,
    editsApi,
    workerId: presence.id,
    answersDir: dirs.answers,
    timeoutMs: limits.editTimeoutMs,
    retryPolicy: { maxAttempts: limits.editAttempts, maxAgeMs: RETRY_MAX_AGE_MS },
    log,
    onSucceeded: (jobId) => queue.send(prisma, MAKE_THUMBNAILS, { jobId }),
  });
  const recovery = createRecovery({
    prisma,
    attempts,
    runEdit,
    editsApi,
    answersDir: dirs.answers,
    log,
  });
  await recovery.start();
  stops.unshift(() => recovery.stop());
  queue.work(RUN_EDIT, { concurrency: limits.concurrentEdits, handle: runEdit.run });
  queue.work(MAKE_THUMBNAILS, {
    concurrency: 1,
    handle: createMakeThumbnails({ prisma, thumbnails, log }),
  });
  stops.unshift(() => queue.stop({ graceMs: limits.shutdownGraceMs }));
  // Those who wait for a running edit are answered with it when it ends, or when the grace is over.
  stops.unshift(() => editWaits.stop());

  const health = createHealth({ prisma });
  const graphql = createGraphql({
    schema,
    services: {
      prisma,
      edits,
      cancelEdit: createCancelEdit({ prisma, events }),
      editWaits,
      editSubscriptions,
      images,
      uploads,
      blobs,
      models,
      usageReports: createUsageReports({ prisma }),
    },
    sandbox,
    maxFileBytes: limits.imageBytes,
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
    log,
  });
  const { url } = await server.start();
  stops.unshift(
    () => health.stopping(),
    // Open streams would hold the server's stop up.
    () => graphqlSockets.stop(),
    () => editSubscriptions.stop(),
    () => server.stop(),
  );
  return config.http.publicUrl ?? url;
}

async function openDatabase({ database }: Config, log: Log): Promise<Database> {
  return database.kind === 'pglite'
    ? openPglite({ dir: database.dir, log })
    : openPostgres({ url: database.url, log });
}

/** The edits API to call: the configured one, or the sandbox, started here. */
async function openUpstream({ editsApi }: Config, log: Log, stops: (() => unknown)[]) {
  if (editsApi.kind === 'remote') return editsApi;
  const sandbox = createSandbox({ delayMs: editsApi.delayMs, log });
  const { url } = await sandbox.start();
  stops.unshift(() => sandbox.stop());
  return { url, key: 'sandbox', imageField: 'image[]' as const };
}
