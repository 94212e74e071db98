import { describe, expect, onTestFinished, test } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { createImages, type Images } from '../../src/images/images.ts';
import { createKnownImages } from '../../src/images/known-images.ts';
import { createDeleteUnusedImages } from '../../src/images/receive/unused-images.ts';
import { createLog } from '../../src/log.ts';
import { createEvents, type EventListener } from '../../src/queue/events.ts';
import { hasDatabase } from '../support/database.ts';
import { databaseKind } from '../support/database-kind.ts';
import { eventually } from '../support/eventually.ts';
import { OWNER, openStoredEdits } from '../support/stored-edits.ts';
import { createTestCommands, QUIET } from '../support/test-commands.ts';

const log = createLog({ level: 'silent' });
const { signal } = new AbortController();

type Parts = Awaited<ReturnType<typeof openStoredEdits>>;

/** The known images of a process, which forgets them by notifications only. */
async function openKnown(database: Database, { blobs }: Parts) {
  const events = createEvents({ database, log });
  await events.start();
  const counted = countFinds(createImages({ prisma: database.prisma, blobs }));
  const known = createKnownImages({ images: counted.images, events, lifetimeMs: 3_600_000 });
  onTestFinished(async () => {
    known.stop();
    await events.stop();
  });
  return { ...known, finds: counted.finds };
}

function countFinds(images: Images) {
  let finds = 0;
  const count = <Result>(result: Result): Result => {
    finds += 1;
    return result;
  };
  return {
    images: {
      find: (...args: Parameters<Images['find']>) => count(images.find(...args)),
      findOfAnyOwner: (id: string) => count(images.findOfAnyOwner(id)),
    },
    finds: () => finds,
  };
}

async function setUp() {
  const parts = await openStoredEdits();
  return { ...parts, known: await openKnown(parts.database, parts) };
}

/** A process of its own, where the database has several. */
async function openElsewhere(parts: Parts) {
  if (databaseKind() === 'pglite') return openKnown(parts.database, parts);
  const database = await parts.openAgain();
  onTestFinished(() => database.close());
  return openKnown(database, parts);
}

const ME = { reads: OWNER };

describe.runIf(hasDatabase)('a known image', () => {
  test('costs a statement for each owner who asks, and one for all who may read every image', async () => {
    const { upload, known } = await setUp();
    const id = await upload('content');
    const [first, again] = [await known.find(ME, id), await known.find(ME, id)];
    expect(first).toMatchObject({ id, ownerId: OWNER, key: expect.stringMatching(/^\w+\/\w\w\//) });
    expect(again).toBe(first);
    expect(known.finds()).toBe(1);
    expect(await known.find({ reads: 'you' }, id)).toBeNull();
    const ofAll = [await known.find({ reads: null }, id), await known.findOfAnyOwner(id)];
    expect(ofAll).toEqual([first, first]);
    expect(known.finds()).toBe(3);
  });

  test('is looked for again each time as long as there is none', async () => {
    const { upload, prisma, known } = await setUp();
    const id = await upload('content');
    expect(await known.find({ reads: 'you' }, id)).toBeNull();
    await prisma.image.updateMany({ where: { id }, data: { ownerId: 'you' } });
    expect(await known.find({ reads: 'you' }, id)).toMatchObject({ id });
  });

  test('is forgotten everywhere once its edit is deleted', async () => {
    const parts = await setUp();
    const elsewhere = await openElsewhere(parts);
    const jobId = await parts.edit({ prompt: 'p', inputs: ['content'] });
    const { id } = await parts.prisma.image.findFirstOrThrow();
    const all = [parts.known, elsewhere];
    for (const known of all) expect(await known.find(ME, id)).not.toBeNull();
    await parts.deleteEdits.batch([jobId]);
    for (const known of all) {
      await eventually(async () => expect(await known.find(ME, id)).toBeNull());
      expect(await known.findOfAnyOwner(id)).toBeNull();
    }
  });

  test('is forgotten everywhere once it is deleted because no edit uses it', async () => {
    const parts = await setUp();
    const { prisma, queue, events, blobs } = parts;
    const elsewhere = await openElsewhere(parts);
    const id = await parts.upload('content');
    const all = [parts.known, elsewhere];
    for (const known of all) expect(await known.find(ME, id)).not.toBeNull();
    const deleteUnused = createDeleteUnusedImages({ prisma, queue, events, blobs });
    expect(await deleteUnused(new Date(Date.now() + 60_000), signal)).toBe(1);
    for (const known of all) {
      await eventually(async () => expect(await known.find(ME, id)).toBeNull());
    }
  });

  test('is forgotten everywhere once it is assigned to another owner', async () => {
    const parts = await setUp();
    const { prisma } = parts;
    const elsewhere = await openElsewhere(parts);
    await parts.edit({ prompt: 'p', inputs: ['content'] });
    const { id } = await prisma.image.findFirstOrThrow();
    const all = [parts.known, elsewhere];
    for (const known of all) expect(await known.find(ME, id)).not.toBeNull();
    const { assignHistory } = createTestCommands(parts);
    await assignHistory({ from: OWNER, to: 'you' }, QUIET);
    for (const known of all) {
      await eventually(async () => expect(await known.find(ME, id)).toBeNull());
      expect(await known.find({ reads: 'you' }, id)).toMatchObject({ ownerId: 'you' });
    }
  });

  test('is read again once access has changed, and once notifications may have been missed', async () => {
    const { upload, images } = await openStoredEdits();
    const id = await upload('content');
    const counted = countFinds(images);
    let tell: EventListener = () => {};
    const subscribe = (listener: EventListener) => {
      tell = listener;
      return () => {};
    };
    const known = createKnownImages({ images: counted.images, events: { subscribe } });
    await known.find(ME, id);
    for (const event of [{ kind: 'access', ownerId: OWNER }, { kind: 'missed' }] as const) {
      const before = counted.finds();
      tell(event);
      await known.find(ME, id);
      expect(counted.finds()).toBe(before + 1);
    }
  });

  test('is not kept if it was forgotten while it was being read', async () => {
    const { upload, known } = await setUp();
    const id = await upload('content');
    const reading = known.find(ME, id);
    known.forget('another');
    await reading;
    await known.find(ME, id);
    expect(known.finds()).toBe(2);
  });
});
