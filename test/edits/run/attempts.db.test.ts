import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Database } from '../../../src/database/database.ts';
import { RUN_EDIT } from '../../../src/edits/edit-queue.ts';
import { createEndEdit } from '../../../src/edits/end/end-edit.ts';
import { type Attempts, createAttempts } from '../../../src/edits/run/attempts.ts';
import { createImages } from '../../../src/images/images.ts';
import { createLog } from '../../../src/log.ts';
import { createKnownModels } from '../../../src/models/models.ts';
import { createPriceTable } from '../../../src/models/prices.ts';
import { createEvents } from '../../../src/queue/events.ts';
import { createQueue, type Queue } from '../../../src/queue/queue.ts';
import { createLedger } from '../../../src/usage/ledger.ts';
import { createTestDatabase, hasDatabase, type TestDatabase } from '../../support/database.ts';
import { JOB_TABLE } from '../../support/sql-client.ts';
import { temporaryStorage } from '../../support/storage.ts';
import { unusedUpstreams } from '../../support/unused-upstreams.ts';

const log = createLog({ level: 'silent' });
const UNKNOWN = {
  code: 'INTERNAL',
  message: 'm',
  httpStatus: null,
  upstreamRequestId: null,
} as const;

describe.runIf(hasDatabase)('an attempt', () => {
  let testDatabase: TestDatabase;
  let database: Database;
  let queue: Queue;
  let attempts: Attempts;
  let jobId: string;
  let endFails: boolean;

  beforeEach(async () => {
    endFails = false;
    testDatabase = await createTestDatabase();
    database = await testDatabase.open();
    const { prisma } = database;
    const events = createEvents({ database, log });
    queue = createQueue({ database, events, log });
    await queue.start([RUN_EDIT]);
    const { blobs } = await temporaryStorage();
    attempts = createAttempts({
      prisma,
      events,
      queue,
      ...(await unusedUpstreams(testDatabase.dir)),
      sandbox: false,
      endEdit: createEndEdit({
        prisma,
        images: createImages({ prisma, blobs }),
        events,
        ledger: createLedger({
          prices: createPriceTable((model) => createKnownModels().get(model).prices),
        }),
        limits: { settle: async () => {} },
        insertWebhooks: async () => {
          if (endFails) throw new Error('no webhooks');
        },
      }),
    });
    const owner = { ownerId: 'o' };
    const prompt = await prisma.prompt.create({
      data: { ...owner, sha256: 'a'.repeat(64), text: 'p' },
    });
    const job = await prisma.editJob.create({
      data: {
        ...owner,
        sandbox: true,
        promptId: prompt.id,
        model: 'm',
        size: 's',
        resolvedSize: 's',
        n: 1,
      },
    });
    jobId = job.id;
  });
  afterEach(async () => {
    await queue.stop({ graceMs: 0 });
    await database.close();
    await testDatabase.drop();
  });

  const by = () => ({ processId: randomUUID(), attemptId: randomUUID() });

  test('that is claimed again by its own id, its first answer lost, is the same one', async () => {
    const mine = by();
    const first = await attempts.claim(jobId, mine);
    expect(first).toMatchObject({ attemptId: mine.attemptId, attemptNumber: 1 });
    expect(await attempts.claim(jobId, mine)).toMatchObject({
      attemptId: mine.attemptId,
      attemptNumber: 1,
    });
    expect(await attempts.claim(jobId, by())).toBeNull();
    expect(await database.prisma.editAttempt.count()).toBe(1);
  });

  test('that ended elsewhere cannot be claimed again or ended again', async () => {
    const mine = by();
    const job = await attempts.claim(jobId, mine);
    if (job === null) throw new Error('not claimed');
    expect(await attempts.fail(job, UNKNOWN, { unknown: true })).toBe(true);
    expect(await attempts.claim(jobId, mine)).toBeNull();
    expect(await attempts.fail(job, UNKNOWN, { unknown: true })).toBe(false);
    expect(await attempts.requeue(job, UNKNOWN, new Date())).toBe(false);
    const answer = { body: {}, httpStatus: 200, upstreamRequestId: null };
    expect(await attempts.succeed(job, answer, [])).toBe(false);
    const { status } = await database.prisma.editJob.findUniqueOrThrow({ where: { id: jobId } });
    expect(status).toBe('OUTCOME_UNKNOWN');
  });

  test('is charged in the transaction that makes its job succeed, or not at all', async () => {
    const { prisma } = database;
    await prisma.editJob.update({ where: { id: jobId }, data: { model: 'gpt-image-1' } });
    const job = await attempts.claim(jobId, by());
    if (job === null) throw new Error('not claimed');
    const usage = {
      total_tokens: 1_260,
      input_tokens: 204,
      input_tokens_details: { text_tokens: 10, image_tokens: 194 },
      output_tokens: 1_056,
    };
    const answer = { body: { usage }, httpStatus: 200, upstreamRequestId: null };
    const written = () =>
      prisma.editJob.findUniqueOrThrow({
        where: { id: jobId },
        select: { status: true, costMicroUsd: true, charges: true, usage: true },
      });
    endFails = true;
    await expect(attempts.succeed(job, answer, [])).rejects.toThrow('no webhooks');
    const before = { status: 'RUNNING', costMicroUsd: null, charges: [], usage: null };
    expect(await written()).toEqual(before);
    endFails = false;
    expect(await attempts.succeed(job, answer, [])).toBe(true);
    const priceVersion = 'openai-gpt-image-1-2025-04';
    expect(await written()).toMatchObject({
      status: 'SUCCEEDED',
      costMicroUsd: 44_230n,
      charges: [{ amountMicroUsd: 44_230n, priceVersion, supersededAt: null }],
      usage: { totalTokens: 1_260 },
    });
  });

  test.each(['succeed', 'fail', 'requeue'] as const)(
    'that ends after the clock was set back two hours took no negative time: %s',
    async (end) => {
      const job = await attempts.claim(jobId, by());
      if (job === null) throw new Error('not claimed');
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 2 * 60 * 60_000 });
      onTestFinished(() => void vi.useRealTimers());
      const done = {
        succeed: () =>
          attempts.succeed(job, { body: {}, httpStatus: 200, upstreamRequestId: null }, []),
        fail: () => attempts.fail(job, UNKNOWN, { unknown: true }),
        requeue: () => attempts.requeue(job, UNKNOWN, new Date()),
      };
      expect(await done[end]()).toBe(true);
      const after = await database.prisma.editJob.findUniqueOrThrow({
        where: { id: jobId },
        include: { attempts: true },
      });
      const [attempt] = after.attempts;
      expect(Number(attempt?.finishedAt)).toBeGreaterThanOrEqual(Number(attempt?.sentAt));
      if (end !== 'requeue') expect(after.durationMs).toBeGreaterThanOrEqual(0);
      expect(Number(after.startedAt)).toBeGreaterThanOrEqual(Number(after.createdAt));
    },
  );

  test('that is made again later leaves its job the turn that it had', async () => {
    await database.prisma.editJob.update({ where: { id: jobId }, data: { turn: 7 } });
    const inLine = () => database.prisma.$queryRaw`
      SELECT priority FROM ${JOB_TABLE} WHERE name = 'run-edit' ORDER BY created_on`;
    await attempts.postpone(jobId, new Date());
    expect(await inLine()).toEqual([{ priority: -7 }]);
    const job = await attempts.claim(jobId, by());
    if (job === null) throw new Error('not claimed');
    expect(await attempts.requeue(job, UNKNOWN, new Date())).toBe(true);
    expect(await inLine()).toEqual([{ priority: -7 }, { priority: -7 }]);
  });

  test('is not made of a postponed job before its time, and of one that left the queue never', async () => {
    const at = new Date(Date.now() + 60_000);
    expect(await attempts.postpone(jobId, at)).toBe(true);
    const waiting = await database.prisma.editJob.findUniqueOrThrow({ where: { id: jobId } });
    expect(waiting).toMatchObject({ status: 'QUEUED', nextAttemptAt: at });
    await attempts.claim(jobId, by());
    expect(await attempts.postpone(jobId, at)).toBe(false);
  });
});
