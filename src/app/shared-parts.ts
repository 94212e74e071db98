import { join } from 'node:path';
import { createPseudonyms } from '../auth/pseudonyms.ts';
import { isAuthOn } from '../config/auth-settings.ts';
import type { Config } from '../config/config.ts';
import { makeDirectory } from '../config/data-dir/durable-files.ts';
import {
  canUseDirectory,
  createStorageAccess,
  writeProbe,
} from '../config/data-dir/storage-access.ts';
import { openSecretKeys } from '../config/secret-key.ts';
import { openDatabase } from '../database/open-database.ts';
import { openEdits } from '../edits/open-edits.ts';
import { createProcesses } from '../edits/run/processes.ts';
import { openImages } from '../images/open-images.ts';
import type { BlobStore } from '../images/storage/blob-store.ts';
import { createLimits } from '../limits/limits.ts';
import type { Log } from '../log.ts';
import { readConfiguredModels } from '../models/models.ts';
import { createPriceTable } from '../models/prices.ts';
import { createImageLinks } from '../public-ids/image-links.ts';
import { createIdleGate } from '../queue/idle-gate.ts';
import { openQueue } from '../queue/open-queue.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Traces } from '../telemetry/traces.ts';
import { openWebhooks } from '../webhooks/open-webhooks.ts';
import { QUEUES } from './queue-jobs.ts';

/** What both halves use. Processes share it through Postgres and the storage. */
export type SharedParts = Awaited<ReturnType<typeof openSharedParts>>;

/**
 * Opens the database, the blob store, the queue and DATA_DIR, in this order; `close` closes them in
 * reverse.
 * @param options.onDatabaseEnd Called when the embedded database has ended itself: only a restart
 *   helps.
 */
export async function openSharedParts(options: {
  config: Config;
  metrics: Metrics;
  traces: Traces;
  log: Log;
  onDatabaseEnd?: (() => void) | undefined;
}) {
  const { config, metrics, traces, log, onDatabaseEnd } = options;
  const { dataDir, limits } = config;
  await using opened = new AsyncDisposableStack();

  const knownModels = await readConfiguredModels(config);
  const dirs = await makeDirectories(dataDir);

  const { database, availability } = opened.adopt(
    await openDatabase({ config: config.database, onAborted: onDatabaseEnd, log }),
    (it) => it.close(),
  );
  const { prisma } = database;
  const alone = database.kind === 'pglite';

  // In every role: the files that a process is receiving are left alone as long as it has a row.
  const processes = opened.adopt(
    createProcesses({ prisma, alone, timeoutMs: limits.workerTimeoutMs, log }),
    (it) => it.stop(),
  );
  await processes.start();

  const { storage } = config;
  const idleGate = createIdleGate();
  const images = opened.adopt(
    await openImages({
      storage,
      limits,
      stagingDir: dirs.staging,
      processId: processes.id,
      prisma,
      idleGate,
      metrics,
    }),
    (it) => it.close(),
  );
  const storageAccess = watchStorage(images.blobs, dirs, log);
  // Logs a wrong setting at once. A storage that is only away recovers without a restart.
  await storageAccess.check();

  const { events, queue } = opened.adopt(
    await openQueue({ database, jobs: QUEUES, alone, supervise: config.role !== 'api', log }),
    (it) => it.close(),
  );
  const secretKeys = await openSecretKeys({
    configured: config.secretKey,
    file: alone ? join(dataDir, 'secret.key') : null,
    previous: config.previousSecretKeys,
  });
  const imageLinks = createImageLinks({
    keys: isAuthOn(config.auth) ? secretKeys : null,
    lastingSeconds: config.signedLinkSeconds,
  });
  const webhooks = opened.adopt(
    openWebhooks({
      prisma,
      queue,
      secretKeys,
      imageLinks,
      allowedHosts: config.webhooks.allowedHosts,
      proxies: config.outboundProxies,
      // Without authentication, the only owner is the operator.
      reader: { isAdmin: !isAuthOn(config.auth) },
      metrics,
      log,
    }),
    (it) => it.close(),
  );
  const safetyIdentifierOf = isAuthOn(config.auth)
    ? createPseudonyms(secretKeys?.current ?? null)
    : null;
  const editLimits = createLimits({ prisma, log });
  const priceTable = createPriceTable((model) => knownModels.get(model).prices);
  const edits = opened.adopt(
    openEdits({
      prisma,
      sessionId: database.sessionId,
      events,
      images,
      prices: priceTable,
      limits: editLimits,
      insertWebhooks: webhooks.insertDeliveries,
      answerRetentionDays: config.answerRetentionDays,
      metrics,
      log,
    }),
    (it) => it.close(),
  );
  const parts = opened.move();
  return {
    traces,
    metrics,
    dirs,
    knownModels,
    prices: priceTable,
    database,
    prisma,
    laggingPrisma: database.laggingPrisma,
    availability,
    processes,
    idleGate,
    images,
    storageAccess,
    events,
    queue,
    imageLinks,
    webhooks,
    edits,
    limits: editLimits,
    safetyIdentifierOf,
    close: () => parts.disposeAsync(),
  };
}

function watchStorage(
  blobs: BlobStore,
  dirs: Awaited<ReturnType<typeof makeDirectories>>,
  log: Log,
) {
  return createStorageAccess({
    parts: [blobs.check, ...Object.values(dirs).map((dir) => () => canUseDirectory(dir))],
    onGone: (error) => log.error({ err: error }, 'the storage is unavailable'),
  });
}

/** The directories in DATA_DIR for files that are being received. */
async function makeDirectories(dataDir: string) {
  const dirs = { staging: join(dataDir, 'staging'), answers: join(dataDir, 'answers') };
  for (const dir of Object.values(dirs)) await makeDirectory(dir);
  await writeProbe(dataDir);
  return dirs;
}
