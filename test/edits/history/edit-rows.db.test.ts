import { describe, expect, onTestFinished, test } from 'vitest';
import { viewerOf } from '../../../src/auth/visible.ts';
import { type Selection, selectEdits } from '../../../src/edits/history/edit-rows.ts';
import { createHistory } from '../../../src/edits/history/history.ts';
import { createTestDatabase, hasDatabase } from '../../support/database.ts';
import { historyRow, imageIdOf, insertHistory } from '../../support/history-rows.ts';

const VIEWER = viewerOf('local');

async function setUp() {
  const testDatabase = await createTestDatabase();
  const { prisma, close } = await testDatabase.open();
  onTestFinished(async () => {
    await close();
    await testDatabase.drop();
  });
  const rich = historyRow({
    prompt: '把背景"换成"\n秋天',
    status: 'FAILED',
    quality: 'high',
    startedAt: new Date('2026-02-02T00:00:01.001Z'),
    finishedAt: new Date('2026-02-03T01:30:00.999Z'),
    totalTokens: 100,
    costMicroUsd: 9_007_199_254_740_993n,
    errorCode: 'TIMEOUT',
    metadata: { project: 'ü', urgent: true, order: 1.5 },
    inputs: ['dog', 'fox'],
    mask: 'hole',
    outputs: ['cat'],
  });
  const plain = historyRow({ prompt: 'a plain prompt' });
  const foreign = historyRow({ ...rich, id: crypto.randomUUID(), ownerId: 'somebody-else' });
  const deleted = historyRow({ deletedAt: new Date() });
  await insertHistory(prisma, [rich, plain, foreign, deleted]);
  await prisma.image.update({
    where: { id: imageIdOf('local', 'cat') },
    data: { thumbHash: Uint8Array.from([0, 255, 10, 13]) },
  });
  for (const number of [2, 1]) {
    await prisma.editAttempt.create({
      data: {
        ownerId: 'local',
        jobId: rich.id,
        number,
        state: 'FAILED',
        processId: crypto.randomUUID(),
        upstream: 'relay',
        moderationDetails: { stage: 'input', categories: ['x'] },
        answerStoredAt: number === 1 ? new Date('2026-01-01T00:00:00Z') : null,
      },
    });
  }
  return { prisma, history: createHistory({ prisma }), ids: [plain.id, rich.id] };
}

const SELECTIONS: Record<string, Selection> = {
  'an id': { id: true },
  'columns of every type': {
    id: true,
    status: true,
    source: true,
    sandbox: true,
    n: true,
    quality: true,
    extraParams: true,
    metadata: true,
    costMicroUsd: true,
    durationMs: true,
    createdAt: true,
    startedAt: true,
    finishedAt: true,
  },
  'related rows in order': {
    id: true,
    prompt: { select: { id: true, text: true, lastUsedAt: true } },
    usage: { select: { totalTokens: true, raw: true } },
    images: {
      orderBy: { position: 'asc' },
      select: {
        role: true,
        sentSha256: true,
        image: { select: { id: true, format: true, thumbHash: true, hasAlpha: true } },
      },
    },
    charges: { orderBy: { id: 'desc' }, select: { amountMicroUsd: true, createdAt: true } },
  },
  'whole related rows': {
    id: true,
    prompt: true,
    usage: true,
    images: { orderBy: { imageId: 'asc' } },
    attempts: { orderBy: { number: 'asc' } },
    charges: true,
  },
  'nothing where nothing is asked for': { id: true, model: false, prompt: undefined },
};

describe.runIf(hasDatabase)('edits that are read with their page', () => {
  test('are as Prisma reads them, and of their owner only', async () => {
    const { prisma, history, ids } = await setUp();
    for (const [what, select] of Object.entries(SELECTIONS)) {
      const edits = selectEdits(select);
      if (edits === null) throw new Error(`${what} is not taken`);
      for (const query of [
        {},
        { search: 'a', order: { field: 'COST', direction: 'ASC' } as const },
        { filter: { metadata: { project: 'ü' } } },
      ]) {
        const page = await history.page(VIEWER, query, {}, edits.sql);
        const expected = await Promise.all(
          page.rows.map(({ id }) => prisma.editJob.findUnique({ where: { id }, select })),
        );
        const read = page.rows.map(({ data = '' }) => ({ ...edits.parse(data) }));
        expect(read, what).toEqual(expected);
        expect(read.length).toBeGreaterThan(0);
      }
      const all = await history.page(VIEWER, {}, {}, edits.sql);
      expect(all.rows.map(({ id }) => id).sort()).toEqual(ids.toSorted());
    }
  });

  test.each<[string, Selection]>([
    ['a relation that is not known', { retryOf: { select: { id: true } } }],
    ['a condition', { images: { where: { role: 'INPUT' }, select: { role: true } } }],
    ['several orders', { charges: { orderBy: { id: 'asc', createdAt: 'asc' } } }],
    ['an order by what is no column', { charges: { orderBy: { '"id"; --': 'asc' } } }],
    ['a direction that is none', { charges: { orderBy: { id: 'asc; --' } } }],
    ['what is no column', { 'id"': true }],
  ])('are left to Prisma for %s', (_, selection) => {
    expect(selectEdits(selection)).toBeNull();
  });
});
