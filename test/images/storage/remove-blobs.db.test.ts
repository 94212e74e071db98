import { createHash } from 'node:crypto';
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { StorageError } from '../../../src/errors.ts';
import { blobKey, thumbnailKey } from '../../../src/images/storage/blob-key.ts';
import { lockContents } from '../../../src/images/storage/content-locks.ts';
import { holdRemoval, releaseRemoval } from '../../../src/images/storage/removal-hold.ts';
import { createBlobRemover, findReferred } from '../../../src/images/storage/remove-blobs.ts';
import { createSweepBlobs } from '../../../src/images/storage/sweep-blobs.ts';
import { createLog } from '../../../src/log.ts';
import { createIdleGate } from '../../../src/queue/idle-gate.ts';
import { hasDatabase } from '../../support/database.ts';
import { filesIn } from '../../support/directory.ts';
import { OWNER, openStoredEdits } from '../../support/stored-edits.ts';

const HOUR_MS = 60 * 60 * 1_000;
const { signal } = new AbortController();
const keyOf = (content: string, ownerId = OWNER) =>
  blobKey({ ownerId, sha256: createHash('sha256').update(content).digest('hex') });

type Parts = Awaited<ReturnType<typeof openStoredEdits>>;

/** Puts a file into the store past the service, stored so long ago. */
async function plant({ dir }: Parts, key: string, ageMs: number): Promise<void> {
  const path = join(dir, 'blobs', key);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, key);
  const at = new Date(Date.now() - ageMs);
  await utimes(path, at, at);
}

const stored = async ({ dir }: Parts) =>
  (await filesIn(join(dir, 'blobs'))).map((path) => relative(join(dir, 'blobs'), path)).sort();

describe.runIf(hasDatabase)('blobs', () => {
  test('stay while a backup holds them back, in every process, and are removed after it', async () => {
    const parts = await openStoredEdits();
    const { prisma, blobs, database } = parts;
    const remover = createBlobRemover({ prisma, blobs, graceMs: 0 });
    const key = keyOf('orphan');
    await plant(parts, key, HOUR_MS);
    const session = await database.openForMigration();
    expect(await holdRemoval(session)).toBe(true);
    expect(await remover.remove([key], signal)).toMatchObject({ removed: 0, young: [key] });
    expect(await stored(parts)).toEqual([key]);
    await releaseRemoval(session);
    await session[Symbol.asyncDispose]();
    expect(await remover.remove([key], signal)).toMatchObject({ removed: 1, young: [] });
    expect(await stored(parts)).toEqual([]);
  });

  test('never end with a row whose blob is gone, however uploads and deletions of the same bytes meet', async () => {
    const parts = await openStoredEdits();
    const { prisma, upload, edit, deleteEdits, blobs } = parts;
    // Without a grace time: only locks and the look after them are between a row and its ruin.
    const remover = createBlobRemover({ prisma, blobs, graceMs: -HOUR_MS });
    const contents = ['a', 'b', 'c'];
    let refused = 0;
    let stores = 0;
    const unlessRemoved = (error: unknown) => {
      if (!(error instanceof StorageError)) throw error;
      refused += 1;
    };
    const turns = Array.from({ length: 25 }, (_, turn) => turn);
    const uploads = async () => {
      for (const turn of turns) {
        await upload(contents[turn % 3] ?? '').catch(unlessRemoved);
        stores += 1;
      }
    };
    const edits = async () => {
      for (const turn of turns) {
        const inputs = turn % 2 ? contents : contents.toReversed();
        const id = await edit({ prompt: `p${turn % 2}`, inputs }).catch(unlessRemoved);
        if (id) await deleteEdits.batch([id]);
        stores += 1;
      }
    };
    const keys = contents.map((content) => keyOf(content));
    let ruined = 0;
    /** While nobody is between a blob and its row. */
    const look = () =>
      prisma.$transaction(async (tx) => {
        await lockContents(tx, keys, 'exclusive');
        for (const row of await tx.image.findMany()) {
          if ((await blobs.size(blobKey(row))) === null) ruined += 1;
        }
      });
    const removals = async () => {
      while (stores < 4 * turns.length) {
        await remover.remove(keys, signal);
        await look();
      }
    };
    await Promise.all([uploads(), uploads(), edits(), edits(), removals()]);
    await look();
    expect(ruined).toBe(0);
    expect(await prisma.editJobImage.count()).toBe(0);
    expect(await prisma.prompt.count()).toBe(0);
    expect(refused).toBeLessThan(stores);
  });

  test('that were just stored stay until they have had time for their row', async () => {
    const parts = await openStoredEdits();
    const { prisma, images, receive, blobs } = parts;
    const received = [await receive('new')];
    await images.keep(OWNER, received);
    const remover = createBlobRemover({ prisma, blobs, graceMs: HOUR_MS });
    const young = await remover.remove([keyOf('new')], signal);
    expect(young).toMatchObject({ removed: 0, young: [keyOf('new')] });
    expect(young.youngUntil.getTime()).toBeGreaterThan(Date.now() + HOUR_MS - 60_000);
    await prisma.$transaction((tx) => images.save(tx, OWNER, received));
    const late = createBlobRemover({ prisma, blobs, now: () => Date.now() + 2 * HOUR_MS });
    expect(await late.remove([keyOf('new')], signal)).toMatchObject({ removed: 0, young: [] });
    expect(await stored(parts)).toEqual([keyOf('new')]);
  });

  test('go with a thumbnail that is stored while they are removed', async () => {
    const parts = await openStoredEdits();
    const key = keyOf('gone');
    await plant(parts, key, HOUR_MS);
    const blobs = {
      ...parts.blobs,
      async delete(deleted: string) {
        if (deleted === key) await plant(parts, thumbnailKey(key, 256), 0);
        await parts.blobs.delete(deleted);
      },
    };
    const { removed } = await createBlobRemover({ ...parts, blobs }).remove([key], signal);
    expect(removed).toBe(1);
    expect(await stored(parts)).toEqual([]);
  });

  test('that were removed before their row was written make the writing fail', async () => {
    const parts = await openStoredEdits();
    const { prisma, images, receive, blobs } = parts;
    const received = [await receive('late')];
    await images.keep(OWNER, received);
    await createBlobRemover({ prisma, blobs, graceMs: -HOUR_MS }).remove([keyOf('late')], signal);
    const save = prisma.$transaction((tx) => images.save(tx, OWNER, received));
    await expect(save).rejects.toThrow(StorageError);
    expect(await prisma.image.count()).toBe(0);
  });

  test('that nobody refers to are swept with their thumbnails when they are old; nothing else is', async () => {
    const parts = await openStoredEdits();
    const { prisma, upload, blobs } = parts;
    await upload('kept');
    const kept = keyOf('kept');
    const orphan = keyOf('orphan');
    const strange = keyOf('of an owner without rows', 'nobody');
    for (const key of [kept, thumbnailKey(kept, 256), orphan, thumbnailKey(orphan, 64), strange]) {
      await plant(parts, key, HOUR_MS);
    }
    await plant(parts, thumbnailKey(keyOf('without its image'), 256), HOUR_MS);
    await plant(parts, keyOf('young'), 0);
    await plant(parts, 'not/a/image', 1_000 * HOUR_MS);
    const remover = createBlobRemover({ prisma, blobs });
    const sweep = createSweepBlobs({
      prisma,
      blobs,
      remover,
      idleGate: createIdleGate({ quietMs: 0 }),
      log: createLog({ level: 'silent' }),
    });
    await sweep({}, signal);
    expect(await stored(parts)).toEqual(
      [kept, thumbnailKey(kept, 256), keyOf('young'), 'not/a/image'].sort(),
    );
  });

  test('are found by their rows, each owner’s own', async () => {
    const { prisma, upload } = await openStoredEdits();
    await upload('mine');
    const asked = [keyOf('mine'), keyOf('mine', 'somebody else'), keyOf('nobody’s')];
    expect([...(await findReferred(prisma, asked))]).toEqual([keyOf('mine')]);
  });
});
