import { join } from 'node:path';
import { LOCAL_VIEWER } from '../../src/auth/viewer.ts';
import type { Database } from '../../src/database/database.ts';
import { migrate } from '../../src/database/migrations.ts';
import { checkEditParams } from '../../src/edits/edit-params.ts';
import { RUN_EDIT } from '../../src/edits/edit-queue.ts';
import { insertJob, newJobId } from '../../src/edits/insert-job.ts';
import { createModels } from '../../src/edits-api/models.ts';
import { createEvents } from '../../src/events.ts';
import { createFsBlobStore } from '../../src/images/fs-blob-store.ts';
import { createStaging } from '../../src/images/fs-staging.ts';
import { createImages } from '../../src/images/images.ts';
import { inspectImage } from '../../src/images/inspect-image.ts';
import { createLog } from '../../src/log.ts';
import { createQueue } from '../../src/queue.ts';
import { png } from '../../test/support/pictures.ts';

const log = createLog({ level: 'warn' });
const AT_ONCE = 8;

/** Puts so many edits of one small picture into the queue of a new database, while nobody works. */
export async function fillQueue(options: {
  database: Database;
  dataDir: string;
  edits: number;
}): Promise<void> {
  const { database, dataDir, edits } = options;
  const { prisma } = database;
  await migrate({ database, log });
  const queue = createQueue({ database, events: createEvents({ database, log }), log });
  await queue.start([RUN_EDIT]);
  const images = createImages({
    prisma,
    blobs: createFsBlobStore({ dir: join(dataDir, 'blobs') }),
  });
  const models = createModels({ default: 'gpt-image-1', allowed: null, overrides: [] });
  const { ownerId } = LOCAL_VIEWER;

  const writer = await createStaging({ dir: join(dataDir, 'staging') }).create();
  await writer.write(await png());
  const staged = await writer.finish();
  const facts = await inspectImage(staged, { field: 'image', maxPixels: 1_000_000 });
  await images.keep(ownerId, [{ staged, facts }]);
  const [imageId = ''] = await images.save(prisma, ownerId, [{ staged, facts }]);

  let next = 0;
  async function insertSome(): Promise<void> {
    for (let i = next++; i < edits; i = next++) {
      await insertJob(
        { prisma, queue, images },
        {
          id: newJobId(),
          ownerId,
          sandbox: false,
          params: checkEditParams({ prompt: `edit ${i}` }, models),
          resolvedSize: '1024x1024',
          images: [{ kind: 'stored', image: { id: imageId } }],
          mask: null,
          retryOfId: null,
          idempotency: null,
          priority: -i,
        },
      );
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, insertSome));
  await queue.stop({ graceMs: 0 });
}
