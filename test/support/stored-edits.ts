import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { QUEUES } from '../../src/app/queue-jobs.ts';
import { createDeleteEdits } from '../../src/edits/deletion/delete-edits.ts';
import { newJobId } from '../../src/edits/submit/insert-job.ts';
import { savePrompt } from '../../src/edits/submit/insert-prompt.ts';
import { createImages, type ReceivedImage } from '../../src/images/images.ts';
import { createFsBlobStore } from '../../src/images/storage/fs-blob-store.ts';
import { createStaging } from '../../src/images/storage/fs-staging.ts';
import { createLog } from '../../src/log.ts';
import { createEvents } from '../../src/queue/events.ts';
import { createQueue } from '../../src/queue/queue.ts';
import { createTestDatabase } from './database.ts';
import { stage } from './storage.ts';

const log = createLog({ level: 'silent' });

export const OWNER = 'me';

/** The parts that store and delete edits, without a service around them; gone with the test. */
export async function openStoredEdits() {
  const testDatabase = await createTestDatabase();
  const database = await testDatabase.open();
  const { prisma } = database;
  const events = createEvents({ database, log });
  const queue = createQueue({ database, events, log });
  await queue.start(QUEUES);
  onTestFinished(async () => {
    await queue.stop({ graceMs: 0 });
    await database.close();
    await testDatabase.drop();
  });
  const blobs = createFsBlobStore({ dir: join(testDatabase.dir, 'blobs') });
  const staging = createStaging({ dir: join(testDatabase.dir, 'staging') });
  const images = createImages({ prisma, blobs });

  async function receive(content: string): Promise<ReceivedImage> {
    const staged = await stage(staging, Buffer.from(content));
    const facts = {
      format: 'png' as const,
      width: 1,
      height: 1,
      displayWidth: 1,
      displayHeight: 1,
      hasAlpha: false,
      decoderBytes: 0,
    };
    return { staged, facts };
  }

  /** As an upload does. */
  async function upload(content: string): Promise<string> {
    const received = [await receive(content)];
    await images.keep(OWNER, received);
    const [id = ''] = await prisma.$transaction((tx) => images.save(tx, OWNER, received));
    return id;
  }

  /** An edit that has succeeded; its images are uploads, or stored before. */
  async function edit(options: {
    prompt: string;
    inputs?: readonly string[];
    createdAt?: Date;
    status?: 'SUCCEEDED' | 'RUNNING' | 'QUEUED' | 'CANCELED';
  }): Promise<string> {
    const { prompt, inputs = [], createdAt = new Date(), status = 'SUCCEEDED' } = options;
    const received = await Promise.all(inputs.map(receive));
    await images.keep(OWNER, received);
    const id = newJobId();
    await prisma.$transaction(async (tx) => {
      const promptId = await savePrompt(tx, OWNER, prompt);
      await tx.editJob.create({
        data: {
          id,
          ownerId: OWNER,
          promptId,
          sandbox: true,
          model: 'm',
          size: 'auto',
          resolvedSize: 'auto',
          n: 1,
          status,
          createdAt,
          finishedAt: createdAt,
          totalTokens: 10,
        },
      });
      const imageIds = await images.save(tx, OWNER, received);
      await tx.editJobImage.createMany({
        data: imageIds.map((imageId, position) => ({
          jobId: id,
          ownerId: OWNER,
          imageId,
          role: 'INPUT',
          position,
        })),
      });
    });
    return id;
  }

  return {
    database,
    /** As another process does; with a Postgres server only. */
    openAgain: testDatabase.open,
    dir: testDatabase.dir,
    /** The settings of a service on this database. */
    env: testDatabase.env,
    prisma,
    queue,
    events,
    blobs,
    images,
    receive,
    upload,
    edit,
    deleteEdits: createDeleteEdits({ prisma, queue, events }),
  };
}
