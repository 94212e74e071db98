import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createApplyRetention } from '../../../src/edits/deletion/retention.ts';
import { createDeleteUnusedImages } from '../../../src/images/receive/unused-images.ts';
import { blobKey } from '../../../src/images/storage/blob-key.ts';
import { createLog } from '../../../src/log.ts';
import { createIdleGate } from '../../../src/queue/idle-gate.ts';
import { hasDatabase } from '../../support/database.ts';
import { OWNER, openStoredEdits } from '../../support/stored-edits.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
const { signal } = new AbortController();

async function open() {
  const parts = await openStoredEdits();
  const { prisma, queue, events, blobs, deleteEdits } = parts;
  const daysAgo = (days: number) => new Date(Date.now() - days * DAY_MS);
  return {
    ...parts,
    daysAgo,
    inHistory: async () =>
      (await prisma.editJob.findMany({ where: { deletedAt: null } })).map(({ id }) => id).sort(),
    /** As it is done in so many days. */
    apply: (days: number, inDays = 0) =>
      createApplyRetention({
        prisma,
        deleteEdits,
        deleteUnusedImages: createDeleteUnusedImages({ prisma, queue, events, blobs }),
        days,
        now: () => Date.now() + inDays * DAY_MS,
        idleGate: createIdleGate({ quietMs: 0 }),
        log: createLog({ level: 'silent' }),
      })({}, signal),
  };
}

describe.runIf(hasDatabase)('retention', () => {
  test('deletes final edits that are too old, more than one batch of them, and no others', async () => {
    const { prisma, edit, apply, daysAgo, inHistory } = await open();
    for (let i = 0; i < 60; i += 1) await edit({ prompt: `old ${i}`, createdAt: daysAgo(31) });
    const running = await edit({ prompt: 'r', createdAt: daysAgo(40), status: 'RUNNING' });
    const young = await edit({ prompt: 'y', createdAt: daysAgo(29) });
    await apply(30);
    expect(await inHistory()).toEqual([running, young].sort());
    expect(await prisma.editJob.count()).toBe(62);
    expect((await prisma.editJob.aggregate({ _sum: { totalTokens: true } }))._sum.totalTokens).toBe(
      620,
    );
    expect((await prisma.prompt.findMany()).map(({ text }) => text).sort()).toEqual(['r', 'y']);
    await apply(30, 2);
    expect(await inHistory()).toEqual([running]);
  });

  test('keeps prompt and images that a younger edit has, and counts the uses that are left', async () => {
    const { prisma, edit, apply, daysAgo } = await open();
    await edit({ prompt: 'p', inputs: ['shared', 'alone'], createdAt: daysAgo(31) });
    const createdAt = daysAgo(5);
    await edit({ prompt: 'p', inputs: ['shared'], createdAt });
    await edit({ prompt: 'p', createdAt: daysAgo(6) });
    expect(await prisma.image.count()).toBe(2);
    await apply(30);
    expect(await prisma.image.count()).toBe(1);
    expect(await prisma.editJobImage.count()).toBe(1);
    expect(await prisma.prompt.findMany()).toMatchObject([{ uses: 2, lastUsedAt: createdAt }]);
  });

  test('deletes uploads that no edit has, by the last time that their bytes were uploaded', async () => {
    const { prisma, dir, edit, upload, apply, inHistory, daysAgo } = await open();
    const used = await edit({ prompt: 'p', inputs: ['used'], createdAt: daysAgo(0) });
    const again = await upload('uploaded again');
    await upload('forgotten');
    // Files of ten days hence, in eyes of a clock that is ahead; one was stored once more since.
    await apply(10, 9);
    expect(await prisma.image.count()).toBe(3);
    const image = await prisma.image.findUniqueOrThrow({ where: { id: again } });
    const later = new Date(Date.now() + 5 * DAY_MS);
    await utimes(join(dir, 'blobs', blobKey(image)), later, later);
    await prisma.editJob.updateMany({
      where: { id: used },
      data: { createdAt: new Date(Date.now() + 5 * DAY_MS) },
    });
    await apply(10, 11);
    const left = await prisma.image.findMany({ select: { id: true, ownerId: true } });
    expect(left).toHaveLength(2);
    expect(left).toContainEqual({ id: again, ownerId: OWNER });
    expect(await inHistory()).toEqual([used]);
  });

  test('of two at once deletes each edit once', async () => {
    const { prisma, edit, apply, daysAgo } = await open();
    for (let i = 0; i < 5; i += 1)
      await edit({ prompt: 'p', inputs: ['x', 'y'], createdAt: daysAgo(31) });
    await edit({ prompt: 'p', createdAt: daysAgo(1) });
    await Promise.all([apply(30), apply(30)]);
    expect(await prisma.prompt.findMany()).toMatchObject([{ uses: 1 }]);
    expect(await prisma.image.count()).toBe(0);
  });
});
