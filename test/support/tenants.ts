import { join } from 'node:path';
import { viewerOf } from '../../src/auth/visible.ts';
import type { Database } from '../../src/database/database.ts';
import { RUN_EDIT } from '../../src/edits/edit-queue.ts';
import { createBacklog } from '../../src/edits/submit/backlog.ts';
import { createEdits } from '../../src/edits/submit/edits.ts';
import { createResponses } from '../../src/edits/submit/responses.ts';
import { createImages, type StoredImage } from '../../src/images/images.ts';
import { inspectImage } from '../../src/images/inspect/inspect-image.ts';
import { createFsBlobStore } from '../../src/images/storage/fs-blob-store.ts';
import { createStaging } from '../../src/images/storage/fs-staging.ts';
import { createLimits } from '../../src/limits/limits.ts';
import { createLog } from '../../src/log.ts';
import { createKnownModels, createModels } from '../../src/models/models.ts';
import { createEvents } from '../../src/queue/events.ts';
import { createQueue } from '../../src/queue/queue.ts';
import { NO_TRACES } from '../../src/telemetry/traces.ts';
import { png } from './test-images.ts';

const log = createLog({ level: 'warn' });
const AT_ONCE = 8;

/** The product's own way into the queue, for any owner, beside whatever processes work it. */
export interface Tenants {
  /** Commits an edit of a small image; answers its id. */
  submit(ownerId: string, prompt: string): Promise<string>;
  /** So many, several at once. */
  submitMany(ownerId: string, edits: number): Promise<void>;
  /** The database stays open. */
  close(): Promise<void>;
}

/** @param options.database is migrated; `dataDir` is that of the processes. */
export async function openTenants(options: {
  database: Database;
  dataDir: string;
}): Promise<Tenants> {
  const { database, dataDir } = options;
  const { prisma } = database;
  const queue = createQueue({ database, events: createEvents({ database, log }), log });
  await queue.start([RUN_EDIT]);
  const blobs = createFsBlobStore({ dir: join(dataDir, 'blobs') });
  const images = createImages({ prisma, blobs });
  const staging = createStaging({ dir: join(dataDir, 'staging') });
  const edits = createEdits({
    prisma,
    queue,
    images,
    models: createModels({
      known: createKnownModels(),
      default: 'gpt-image-1',
      allowed: null,
    }),
    backlog: createBacklog({ prisma, maxQueued: Number.POSITIVE_INFINITY }),
    limits: createLimits({ prisma, log }),
    responses: createResponses({ prisma, sessionId: database.sessionId, log }),
    traces: NO_TRACES,
    planReservation: async () => ({ amounts: {}, bound: null, isLimited: false }),
    sandbox: false,
  });
  const bytes = await png();
  const storedImages = new Map<string, Promise<StoredImage>>();

  async function store(ownerId: string): Promise<StoredImage> {
    const writer = await staging.create();
    await writer.write(bytes);
    const staged = await writer.finish();
    const facts = await inspectImage(staged, { field: 'image', maxPixels: 1_000_000 });
    await images.keep(ownerId, [{ staged, facts }]);
    const [id = ''] = await images.save(prisma, ownerId, [{ staged, facts }]);
    const image = await images.find(viewerOf(ownerId), id);
    if (image === null) throw new Error('the image was not stored');
    return image;
  }

  async function submit(ownerId: string, prompt: string): Promise<string> {
    const stored = storedImages.get(ownerId) ?? store(ownerId);
    storedImages.set(ownerId, stored);
    const image = await stored;
    const input = {
      prompt,
      imageCount: 1,
      loadImages: async () => ({ images: [{ kind: 'stored' as const, image }], mask: null }),
    };
    return (await edits.create(viewerOf(ownerId), input, () => undefined)).id;
  }

  return {
    submit,
    async submitMany(ownerId, count) {
      let next = 0;
      const some = async () => {
        for (let i = next++; i < count; i = next++) await submit(ownerId, `edit ${i}`);
      };
      await Promise.all(Array.from({ length: AT_ONCE }, some));
    },
    close: () => queue.stop({ graceMs: 0 }),
  };
}
