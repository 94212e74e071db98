import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Database } from '../../../src/database/database.ts';
import { createWorkerPresence, type WorkerPresence } from '../../../src/edits/run/processes.ts';
import { createLog } from '../../../src/log.ts';
import { createTestDatabase, hasDatabase, type TestDatabase } from '../../support/database.ts';

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

  /** An attempt that is out; answers its id. */
  async function sendFrom(workerId: string): Promise<string> {
    const { prisma } = database;
    const owner = { ownerId: 'o' };
    const text = { ...owner, sha256: 'a'.repeat(64), text: 'p' };
    const { id: promptId } = await prisma.prompt.create({ data: text });
    const facts = { sandbox: true, model: 'm', size: 's', resolvedSize: 's', n: 1 };
    const job = await prisma.editJob.create({ data: { ...owner, promptId, ...facts } });
    const attempt = { id: randomUUID(), jobId: job.id, number: 1, workerId, upstream: 'default' };
    await prisma.editAttempt.create({ data: attempt });
    return attempt.id;
  }
  const end = (id: string) =>
    database.prisma.editAttempt.update({ where: { id }, data: { state: 'UNKNOWN' } });

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

  test('one off the list that has an attempt out is gone at the second look', async () => {
    const attempt = await sendFrom(there.id);
    await there.stop();
    expect(await here.findGone()).toEqual([]);
    expect(await here.findGone()).toEqual([there.id]);
    await end(attempt);
    expect(await here.findGone()).toEqual([]);
  });

  test('one that was struck off, lives and took work again, is not', async () => {
    await here.strikeOff([there.id]);
    await sendFrom(there.id);
    expect(await here.findGone()).toEqual([]);
    await there.start();
    expect(await here.findGone()).toEqual([]);
    expect(await here.findGone()).toEqual([]);
  });

  test('one that is gone stays on the list until its attempts have ended', async () => {
    const attempt = await sendFrom(there.id);
    await here.strikeOff([there.id]);
    expect(await here.list()).toContain(there.id);
    await end(attempt);
    await here.strikeOff([there.id]);
    expect(await here.list()).toEqual(new Set([here.id]));
  });

  test('who is alone strikes all others off at once, and takes them for gone', async () => {
    await sendFrom(there.id);
    const alone = createWorkerPresence({
      prisma: database.prisma,
      alone: true,
      timeoutMs: TIMEOUT_MS,
      log,
    });
    await alone.start();
    expect(await alone.list()).toEqual(new Set([alone.id]));
    expect(await alone.findGone()).toEqual([there.id]);
    await alone.stop();
  });
});
