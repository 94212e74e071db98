import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from './config.ts';
import { createAvailability } from './database/availability.ts';
import type { Database } from './database/database.ts';
import { migrate } from './database/migrations.ts';
import { openPglite } from './database/pglite.ts';
import { checkPostgres, openPostgres } from './database/postgres.ts';
import type { OnEditEnd } from './edits/edit-end.ts';
import { createEditEndings } from './edits/edit-endings.ts';
import { indexPrompts } from './edits/index-prompts.ts';
import { createPauses } from './edits/pauses.ts';
import { createWorkerPresence } from './edits/workers.ts';
import { createEvents } from './events.ts';
import type { BlobStore } from './images/blob-store.ts';
import { configureSharp } from './images/configure-sharp.ts';
import { createFsBlobStore } from './images/fs-blob-store.ts';
import { createStaging } from './images/fs-staging.ts';
import { createImages } from './images/images.ts';
import { openS3BlobStore } from './images/s3-blob-store.ts';
import { createThumbnails } from './images/thumbnails.ts';
import type { Log } from './log.ts';
import { createLull } from './lull.ts';
import { createAllowedHosts } from './net/allowed-hosts.ts';
import { makePrivateDirectory, PRIVATE_DIRECTORY } from './private-directory.ts';
import { createQueue } from './queue.ts';
import { QUEUES } from './queues.ts';
import { openSecretKey } from './secret-key.ts';
import { canUseDirectory, createStorageAccess } from './storage-access.ts';
import { createBudgets } from './usage/budgets.ts';
import { createPriceTable, readPricesFile } from './usage/price-table.ts';
import { createPublishEnd } from './webhooks/publish-end.ts';

/** Left over by a process that was killed: nothing receives a file for a day. */
const STAGED_MAX_AGE_MS = 24 * 60 * 60 * 1_000;

/** In the order in which they have to be called: what is started later goes to the front. */
export type Stops = (() => unknown)[];

/** What the API and the workers share: in one process as it is, between processes by what it holds. */
export type Foundation = Awaited<ReturnType<typeof openFoundation>>;

/** Opens the database, the queue and the directories. What it has started stands in `stops`. */
export async function openFoundation(options: { config: Config; log: Log; stops: Stops }) {
  const { config, log, stops } = options;
  const { limits, role } = config;
  const prices = createPriceTable(
    config.prices.file === null ? {} : await readPricesFile(config.prices.file),
  );
  const dirs = {
    staging: join(config.dataDir, 'staging'),
    answers: join(config.dataDir, 'answers'),
  };
  await Promise.all(Object.values(dirs).map(makePrivateDirectory));
  configureSharp({ threads: 1 });

  const database = await openDatabase(config, log);
  stops.unshift(() => database.close());
  await migrate({ database, log });
  const { prisma } = database;
  await indexPrompts({ prisma, log });

  const events = createEvents({ database, log });
  await events.start();
  stops.unshift(() => events.stop());

  // Not of workers only: what a process on the list is receiving is left alone by the others.
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
  const endings = createEditEndings({ prisma, events, log });
  stops.unshift(() => endings.stop());

  const budgets = createBudgets({ prisma });
  const publishEnd = createPublishEnd({ queue });
  const onEnd: OnEditEnd = async (tx, end) => {
    await publishEnd(tx, end);
    // Last: the owner's other edits wait for what it locks.
    await budgets.settle(tx, end);
  };

  return {
    dirs,
    prices,
    prisma,
    events,
    presence,
    staging,
    blobs,
    images: createImages({ prisma, blobs }),
    thumbnails,
    lull: createLull(),
    queue,
    endings,
    pauses: createPauses({ prisma }),
    budgets,
    onEnd,
    secretKey: await openSecretKey({
      configured: config.secretKey,
      file: alone ? join(config.dataDir, 'secret.key') : null,
    }),
    isAllowedHost: createAllowedHosts(config.webhooks.allowedHosts),
    availability: createAvailability({ prisma }),
    storageAccess,
  };
}

async function openDatabase({ database }: Config, log: Log): Promise<Database> {
  if (database.kind === 'pglite') return openPglite({ dir: database.dir, log });
  await checkPostgres(database.url);
  return openPostgres({ url: database.url, log });
}

async function openBlobs({ storage }: Config): Promise<{ blobs: BlobStore; close: () => void }> {
  if (storage.kind === 's3') return openS3BlobStore(storage);
  await mkdir(storage.dir, { recursive: true, mode: PRIVATE_DIRECTORY });
  return { blobs: createFsBlobStore(storage), close: () => {} };
}
