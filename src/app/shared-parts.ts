import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { makeDirectory } from '../config/data-dir/durable-files.ts';
import {
  canUseDirectory,
  createStorageAccess,
  writeProbe,
} from '../config/data-dir/storage-access.ts';
import { openSecretKey } from '../config/secret-key.ts';
import { createAvailability } from '../database/availability.ts';
import type { Database } from '../database/database.ts';
import { migrate } from '../database/migrations.ts';
import { openPglite } from '../database/pglite.ts';
import { openPostgres } from '../database/postgres.ts';
import { checkPostgres } from '../database/start/check-postgres.ts';
import { createEndEdit } from '../edits/end/end-edit.ts';
import { indexPrompts } from '../edits/prompts/index-prompts.ts';
import { createProcesses } from '../edits/run/processes.ts';
import { createStoredAnswers } from '../edits/run/stored-answers.ts';
import { createPauses } from '../edits/run/upstream-pauses.ts';
import { createFinalEvents } from '../edits/watch/final-events.ts';
import { createImages } from '../images/images.ts';
import type { BlobStore } from '../images/storage/blob-store.ts';
import { createFsBlobStore } from '../images/storage/fs-blob-store.ts';
import { createStaging } from '../images/storage/fs-staging.ts';
import { openS3BlobStore } from '../images/storage/s3-blob-store.ts';
import { configureSharp } from '../images/thumbnails/configure-sharp.ts';
import { createThumbnails } from '../images/thumbnails/thumbnails.ts';
import { createBudgets } from '../limits/budgets.ts';
import type { Log } from '../log.ts';
import { readKnownModels } from '../models/models.ts';
import { createPriceTable, readPricesFile } from '../models/prices.ts';
import { createAllowedHosts } from '../net/allowed-hosts.ts';
import { createEvents } from '../queue/events.ts';
import { createLull } from '../queue/idle-gate.ts';
import { createQueue } from '../queue/queue.ts';
import { createLedger } from '../usage/ledger.ts';
import { createInsertDeliveries } from '../webhooks/insert-deliveries.ts';
import { QUEUES } from './queue-jobs.ts';

/** Left over by a process that was killed: nothing receives a file for a day. */
const STAGED_MAX_AGE_MS = 24 * 60 * 60 * 1_000;

/** In the order in which they have to be called: what is started later goes to the front. */
export type Stops = (() => unknown)[];

/** What the API and the workers share: in one process as it is, between processes by what it holds. */
export type Foundation = Awaited<ReturnType<typeof openFoundation>>;

/**
 * Opens the database, the queue and the directories. What it has started stands in `stops`.
 * @param onDatabaseEnd Called when the embedded database has ended itself: only a restart helps.
 */
export async function openFoundation(options: {
  config: Config;
  log: Log;
  stops: Stops;
  onDatabaseEnd?: (() => void) | undefined;
}) {
  const { config, log, stops, onDatabaseEnd } = options;
  const { limits, role } = config;
  const knownModels = await readKnownModels(
    config.models.file,
    config.prices.file === null ? {} : await readPricesFile(config.prices.file),
  );
  const dirs = {
    staging: join(config.dataDir, 'staging'),
    answers: join(config.dataDir, 'answers'),
  };
  for (const dir of Object.values(dirs)) await makeDirectory(dir);
  await writeProbe(config.dataDir);
  configureSharp({ threads: 1 });

  const database = await openDatabase(config, log, onDatabaseEnd);
  stops.unshift(() => database.close());
  await migrate({ database, log });
  const { prisma } = database;
  await indexPrompts({ prisma, log });

  const events = createEvents({ database, log });
  await events.start();
  stops.unshift(() => events.stop());

  const alone = database.kind === 'pglite';
  const processes = createProcesses({
    prisma,
    alone,
    timeoutMs: limits.workerTimeoutMs,
    log,
  });
  await processes.start();
  stops.unshift(() => processes.stop());

  const staging = createStaging({ dir: dirs.staging, owner: processes.id });
  await staging.sweep(STAGED_MAX_AGE_MS);
  const { blobs, close: closeBlobs } = await openBlobs(config);
  stops.unshift(closeBlobs);
  const thumbnails = createThumbnails({ blobs, staging, maxPixels: limits.imagePixels });
  stops.unshift(() => thumbnails.stop());
  const storageAccess = createStorageAccess({
    parts: [blobs.check, ...Object.values(dirs).map((dir) => () => canUseDirectory(dir))],
    onGone: (error) => log.error({ err: error }, 'the storage cannot be used'),
  });
  // Told at once when it is set wrongly. It may as well be away: that heals without a restart.
  await storageAccess.check();

  const queue = createQueue({ database, events, supervise: role !== 'api', log });
  await queue.start(QUEUES, { alone });
  stops.unshift(() => queue.stop({ graceMs: 0 }));
  const finalEvents = createFinalEvents({ prisma, events, log });
  stops.unshift(() => finalEvents.stop());

  const budgets = createBudgets({ prisma, log });
  const images = createImages({ prisma, blobs });
  const prices = createPriceTable((model) => knownModels.get(model).prices);
  const endEdit = createEndEdit({
    images,
    events,
    ledger: createLedger({ prices }),
    budgets,
    insertWebhooks: createInsertDeliveries({ queue }),
  });

  return {
    dirs,
    knownModels,
    prices,
    prisma,
    events,
    processes,
    staging,
    blobs,
    images,
    storedAnswers: createStoredAnswers({
      prisma,
      blobs,
      maxAgeDays: config.answerRetentionDays,
    }),
    thumbnails,
    lull: createLull(),
    queue,
    finalEvents,
    pauses: createPauses({ prisma }),
    budgets,
    endEdit,
    secretKey: await openSecretKey({
      configured: config.secretKey,
      file: alone ? join(config.dataDir, 'secret.key') : null,
    }),
    isAllowedHost: createAllowedHosts(config.webhooks.allowedHosts),
    availability: createAvailability({ database }),
    storageAccess,
  };
}

async function openDatabase(
  { database }: Config,
  log: Log,
  onAborted: (() => void) | undefined,
): Promise<Database> {
  if (database.kind === 'pglite') return openPglite({ dir: database.dir, log, onAborted });
  await checkPostgres(database);
  return openPostgres({ ...database, log });
}

async function openBlobs({ storage }: Config): Promise<{ blobs: BlobStore; close: () => void }> {
  if (storage.kind === 's3') return openS3BlobStore(storage);
  await makeDirectory(storage.dir);
  return { blobs: createFsBlobStore(storage), close: () => {} };
}
