import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Database } from '../../../src/database/database.ts';
import { createCancelEdit } from '../../../src/edits/end/cancel-edit.ts';
import type { EditEnd, OnEditEnd } from '../../../src/edits/end/edit-end.ts';
import { createAttempts } from '../../../src/edits/run/attempts.ts';
import { createImages } from '../../../src/images/images.ts';
import { createFsBlobStore } from '../../../src/images/storage/fs-blob-store.ts';
import { createLog } from '../../../src/log.ts';
import { createPriceTable } from '../../../src/models/prices.ts';
import { createEvents } from '../../../src/queue/events.ts';
import { createQueue } from '../../../src/queue/queue.ts';
import { createLedger } from '../../../src/usage/ledger.ts';
import { createTestDatabase, hasDatabase } from '../../support/database.ts';
import { unusedUpstreams } from '../../support/unused-upstreams.ts';

const OWNER = { ownerId: 'me' };
const log = createLog({ level: 'silent' });
const ANSWER = { body: {}, httpStatus: 200, upstreamRequestId: null };
const FAILURE = { ...ANSWER, code: 'INTERNAL', message: 'm' } as const;

/** A running edit, and the parts that can end it. */
async function runningEdit(onEnd: OnEditEnd) {
  const testDatabase = await createTestDatabase();
  const database: Database = await testDatabase.open();
  onTestFinished(async () => {
    await database.close();
    await testDatabase.drop();
  });
  const { prisma } = database;
  const events = createEvents({ database, log });
  const queue = createQueue({ database, events, log });
  const images = createImages({
    prisma,
    blobs: createFsBlobStore({ dir: join(testDatabase.dir, 'blobs') }),
  });
  const prompt = await prisma.prompt.create({
    data: { ...OWNER, sha256: 'a'.repeat(64), text: 'p' },
  });
  const { id } = await prisma.editJob.create({
    data: {
      ...OWNER,
      promptId: prompt.id,
      sandbox: true,
      model: 'm',
      size: 'auto',
      resolvedSize: 'auto',
      n: 1,
    },
  });
  const attempts = createAttempts({
    prisma,
    events,
    queue,
    images,
    ...(await unusedUpstreams(testDatabase.dir)),
    sandbox: false,
    ledger: createLedger({ prices: createPriceTable(() => []) }),
    onEnd,
  });
  const attempt = await attempts.claim(id, { workerId: randomUUID(), attemptId: randomUUID() });
  if (attempt === null) throw new Error('not claimed');
  const cancel = createCancelEdit({ prisma, events, onEnd });
  const ends = {
    SUCCEEDED: () => attempts.succeed(attempt, ANSWER, []),
    FAILED: () => attempts.fail(attempt, FAILURE, { unknown: false }),
    OUTCOME_UNKNOWN: () => attempts.fail(attempt, FAILURE, { unknown: true }),
    CANCELED: () => cancel({ ...OWNER, isAdmin: false }, id),
  };
  return { prisma, id, ends };
}

const STATUSES = ['SUCCEEDED', 'FAILED', 'OUTCOME_UNKNOWN', 'CANCELED'] as const;

test.runIf(hasDatabase).each(STATUSES)('tells once that an edit is %s', async (status) => {
  // Of no other end is it known that nothing was paid.
  const costMicroUsd = status === 'FAILED' ? 0n : null;
  const told: EditEnd[] = [];
  const { ends, id } = await runningEdit(async (_, end) => void told.push(end));
  await ends[status]();
  expect(told).toEqual([{ ...OWNER, jobId: id, status, costMicroUsd, usage: null }]);
  for (const other of STATUSES) await Promise.resolve(ends[other]()).catch(() => {});
  expect(told).toHaveLength(1);
});

test.runIf(hasDatabase).each(STATUSES)(
  'tells within the transaction that an edit is %s: both stand, or neither',
  async (status) => {
    const { prisma, ends } = await runningEdit(async (tx) => {
      await tx.prompt.create({ data: { ...OWNER, sha256: 'b'.repeat(64), text: 'written' } });
      throw new Error('no');
    });
    await expect(ends[status]()).rejects.toThrow('no');
    expect(await prisma.editJob.findFirst()).toMatchObject({ status: 'RUNNING', finishedAt: null });
    expect(await prisma.editAttempt.findFirst()).toMatchObject({ state: 'SENT' });
    expect(await prisma.prompt.count()).toBe(1);
  },
);
