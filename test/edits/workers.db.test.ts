import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { createWorkerPresence, type WorkerPresence } from '../../src/edits/workers.ts';
import { createLog } from '../../src/log.ts';
import { createTestDatabase, hasDatabase, type TestDatabase } from '../support/database.ts';

const log = createLog({ level: 'silent' });
/** No heartbeat comes while a test runs. */
const TIMEOUT_MS = 600_000;

describe.runIf(hasDatabase)('the presence of workers', () => {
  let testDatabase: TestDatabase;
  let database: Database;
  let here: WorkerPresence;
  let there: WorkerPresence;

  beforeEach(async () => {
    testDatabase = await createTestDatabase();
    database = await testDatabase.open();
    const options = { prisma: database.prisma, alone: false, timeoutMs: TIMEOUT_MS, log };
    here = createWorkerPresence(options);
    there = createWorkerPresence(options);
    await here.start();
    await there.start();
  });
  afterEach(async () => {
    await here.stop();
    await there.stop();
    await database.close();
    await testDatabase.drop();
  });

  /** As after an hour in which the database was paused, or its process dead. */
  const silence = () =>
    database.prisma.$executeRaw`UPDATE "Worker" SET "heartbeatAt" = now() - interval '1 hour'`;
  const beat = (id: string) =>
    database.prisma.$executeRaw`UPDATE "Worker" SET "heartbeatAt" = now() WHERE id = ${id}::uuid`;

  test('one that is silent at two looks in a row is gone', async () => {
    await silence();
    expect(await here.findGone()).toEqual([]);
    expect(await here.findGone()).toEqual([there.id]);
  });

  test('one that was silent with the database itself, and then gives a sign, is not', async () => {
    await silence();
    expect(await here.findGone()).toEqual([]);
    await beat(there.id);
    expect(await here.findGone()).toEqual([]);
  });

  test('one that is silent twice, with a sign in between, is not', async () => {
    await silence();
    expect(await here.findGone()).toEqual([]);
    await beat(there.id);
    await silence();
    expect(await here.findGone()).toEqual([]);
  });

  test('nobody takes himself for gone', async () => {
    await silence();
    await here.findGone();
    expect(await here.findGone()).not.toContain(here.id);
  });

  test('one that is gone stays on the list until its attempts have ended', async () => {
    const { prisma } = database;
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
    const attempt = { id: randomUUID(), jobId: job.id, number: 1, workerId: there.id };
    await prisma.editAttempt.create({ data: attempt });
    await here.strikeOff([there.id]);
    expect(await here.list()).toContain(there.id);
    await prisma.editAttempt.update({ where: { id: attempt.id }, data: { state: 'UNKNOWN' } });
    await here.strikeOff([there.id]);
    expect(await here.list()).toEqual(new Set([here.id]));
  });

  test('who is alone strikes all others off at once', async () => {
    const alone = createWorkerPresence({
      prisma: database.prisma,
      alone: true,
      timeoutMs: TIMEOUT_MS,
      log,
    });
    await alone.start();
    expect(await alone.list()).toEqual(new Set([alone.id]));
    await alone.stop();
  });
});
