import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { viewerOf } from '../../../src/auth/visible.ts';
import type { Database, Transaction } from '../../../src/database/database.ts';
import { createCancelEdit } from '../../../src/edits/end/cancel-edit.ts';
import { createEndEdit, type InsertForEnd } from '../../../src/edits/end/end-edit.ts';
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

/** A queued or running edit, the ways to end it, and what each end caused, in order. */
async function openEdit(
  options: {
    isQueued?: boolean;
    insertWebhooks?: InsertForEnd;
    settle?: (tx: Transaction) => Promise<void>;
  } = {},
) {
  const { isQueued = false, insertWebhooks = async () => {}, settle = async () => {} } = options;
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
  const caused: unknown[] = [];
  const endEdit = createEndEdit({
    prisma,
    images,
    events: { publish: async (_, ...published) => void caused.push(...published) },
    ledger: createLedger({ prices: createPriceTable(() => []) }),
    limits: {
      settle: async (tx, settled) => {
        caused.push({ settled });
        await settle(tx);
      },
    },
    insertWebhooks: async (tx, ended) => {
      caused.push({ webhooks: ended });
      await insertWebhooks(tx, ended);
    },
  });
  const attempts = createAttempts({
    prisma,
    events,
    queue,
    ...(await unusedUpstreams(testDatabase.dir)),
    sandbox: false,
    endEdit,
  });
  const by = { processId: randomUUID(), attemptId: randomUUID() };
  const attempt = isQueued
    ? { id, ...OWNER, model: 'm', sentAt: new Date(), ...by }
    : await attempts.claim(id, by);
  if (attempt === null) throw new Error('not claimed');
  const cancel = createCancelEdit({ prisma, endEdit });
  const ends = {
    SUCCEEDED: () => attempts.succeed(attempt, ANSWER, []),
    FAILED: () => attempts.fail(attempt, FAILURE, { unknown: false }),
    OUTCOME_UNKNOWN: () => attempts.fail(attempt, FAILURE, { unknown: true }),
    CANCELED: () => cancel(viewerOf(OWNER.ownerId), id),
  };
  const reread = () =>
    endEdit({
      jobId: id,
      ...OWNER,
      from: 'OUTCOME_UNKNOWN',
      attemptId: attempt.attemptId,
      outcome: {
        status: 'SUCCEEDED',
        model: 'm',
        sentAt: attempt.sentAt,
        answer: ANSWER,
        outputs: [],
      },
    });
  const rows = () =>
    prisma.editJob.findUniqueOrThrow({ where: { id }, include: { attempts: true } });
  return { prisma, id, ends, reread, caused, rows };
}

const STATUSES = ['SUCCEEDED', 'FAILED', 'OUTCOME_UNKNOWN', 'CANCELED'] as const;

describe.runIf(hasDatabase)('an edit', () => {
  test.each(STATUSES)(
    'that becomes %s causes one set of webhook rows, one event and then one settlement, whatever comes later',
    async (status) => {
      // After any other end, something may have been paid.
      const costMicroUsd = status === 'FAILED' ? 0n : null;
      const { ends, id, caused, rows } = await openEdit();
      await ends[status]();
      const ended = { ...OWNER, jobId: id, status, costMicroUsd, usage: null };
      const used = {
        SUCCEEDED: { IMAGES: 0n },
        FAILED: { COST: 0n, TOKENS: 0n, IMAGES: 0n },
        OUTCOME_UNKNOWN: {},
        CANCELED: {},
      }[status];
      const expected = [
        { webhooks: ended },
        { kind: 'edit', ...OWNER, jobId: id, final: true },
        { settled: { ...OWNER, jobId: id, used, wasActive: true, usage: null } },
      ];
      expect(caused).toEqual(expected);
      const before = await rows();
      expect(before).toMatchObject({
        status,
        attempts: [{ state: expect.not.stringMatching('SENT') }],
      });
      for (const other of STATUSES) await Promise.resolve(ends[other]()).catch(() => {});
      expect(caused).toEqual(expected);
      expect(await rows()).toEqual(before);
    },
  );

  test.each(STATUSES)(
    'becomes %s in the transaction that inserts its webhook rows and settles its reservation, or not at all',
    async (status) => {
      const fail = async (tx: Transaction) => {
        await tx.prompt.create({ data: { ...OWNER, sha256: 'b'.repeat(64), text: 'written' } });
        throw new Error('no');
      };
      for (const options of [{ insertWebhooks: fail }, { settle: fail }]) {
        const { prisma, ends, rows } = await openEdit(options);
        await expect(ends[status]()).rejects.toThrow('no');
        expect(await rows()).toMatchObject({
          status: 'RUNNING',
          finishedAt: null,
          attempts: [{ state: 'SENT' }],
        });
        expect(await prisma.prompt.count()).toBe(1);
      }
    },
  );

  test('that is queued can only be canceled, and certainly cost nothing', async () => {
    const { ends, rows, caused } = await openEdit({ isQueued: true });
    expect(await ends.SUCCEEDED()).toBe(false);
    expect(await ends.FAILED()).toBe(false);
    expect(await ends.OUTCOME_UNKNOWN()).toBe(false);
    expect(caused).toEqual([]);
    await ends.CANCELED();
    expect(await rows()).toMatchObject({ status: 'CANCELED', errorCode: null, attempts: [] });
    const used = { COST: 0n, TOKENS: 0n, IMAGES: 0n };
    expect(caused).toContainEqual({ settled: expect.objectContaining({ used }) });
  });

  test('becomes SUCCEEDED by its stored response once, only after an unknown outcome, and keeps its end', async () => {
    for (const status of ['SUCCEEDED', 'FAILED', 'CANCELED'] as const) {
      const { ends, reread, rows } = await openEdit();
      expect(await reread()).toBe(false);
      await ends[status]();
      expect(await reread()).toBe(false);
      expect(await rows()).toMatchObject({ status });
    }
    const { ends, reread, rows } = await openEdit();
    await ends.OUTCOME_UNKNOWN();
    const { finishedAt } = await rows();
    expect(await Promise.all([reread(), reread()])).toEqual(expect.arrayContaining([true, false]));
    expect(await rows()).toMatchObject({
      status: 'SUCCEEDED',
      finishedAt,
      errorCode: null,
      attempts: [{ state: 'SUCCEEDED', errorCode: null }],
    });
  });
});
