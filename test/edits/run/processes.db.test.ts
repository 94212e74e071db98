import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Database } from '../../../src/database/database.ts';
import { createProcesses, type Processes } from '../../../src/edits/run/processes.ts';
import { createLog } from '../../../src/log.ts';
import { createTestDatabase, hasDatabase, type TestDatabase } from '../../support/database.ts';

const log = createLog({ level: 'silent' });
/** No heartbeat comes while a test runs. */
const TIMEOUT_MS = 600_000;

describe.runIf(hasDatabase)('a process', () => {
  let testDatabase: TestDatabase;
  let database: Database;
  let here: Processes;
  let there: Processes;

  beforeEach(async () => {
    testDatabase = await createTestDatabase();
    database = await testDatabase.open();
    const options = { prisma: database.prisma, alone: false, timeoutMs: TIMEOUT_MS, log };
    here = createProcesses(options);
    there = createProcesses(options);
    await here.start();
    await there.start();
  });
  afterEach(async () => {
    await here.stop();
    await there.stop();
    await database.close();
    await testDatabase.drop();
  });

  /** As after an hour in which the database was paused, or all processes had crashed. */
  const silence = () =>
    database.prisma.$executeRaw`UPDATE "Process" SET "heartbeatAt" = now() - interval '1 hour'`;
  const beat = (id: string) =>
    database.prisma.$executeRaw`UPDATE "Process" SET "heartbeatAt" = now() WHERE id = ${id}::uuid`;

  /** Inserts an open attempt; returns its id. */
  async function sendFrom(processId: string): Promise<string> {
    const { prisma } = database;
    const owner = { ownerId: 'o' };
    const text = { ...owner, sha256: 'a'.repeat(64), text: 'p' };
    const { id: promptId } = await prisma.prompt.create({ data: text });
    const facts = { sandbox: true, model: 'm', size: 's', resolvedSize: 's', n: 1 };
    const job = await prisma.editJob.create({ data: { ...owner, promptId, ...facts } });
    const attempt = {
      ...owner,
      id: randomUUID(),
      jobId: job.id,
      number: 1,
      processId,
      upstream: 'default',
    };
    await prisma.editAttempt.create({ data: attempt });
    return attempt.id;
  }
  const end = (id: string) =>
    database.prisma.editAttempt.update({ where: { id }, data: { state: 'UNKNOWN' } });

  test('has crashed if two checks in a row find no recent heartbeat', async () => {
    await silence();
    expect(await here.findCrashed()).toEqual([]);
    expect(await here.findCrashed()).toEqual([there.id]);
  });

  test('has not crashed if it sends a heartbeat after a pause of the database itself', async () => {
    await silence();
    expect(await here.findCrashed()).toEqual([]);
    await beat(there.id);
    expect(await here.findCrashed()).toEqual([]);
  });

  test('has not crashed if it sent a heartbeat between two checks without a recent one', async () => {
    await silence();
    expect(await here.findCrashed()).toEqual([]);
    await beat(there.id);
    await silence();
    expect(await here.findCrashed()).toEqual([]);
  });

  test('never finds itself crashed', async () => {
    await silence();
    await here.findCrashed();
    expect(await here.findCrashed()).not.toContain(here.id);
  });

  test('has crashed if two checks find its open attempt and no row', async () => {
    const attempt = await sendFrom(there.id);
    await there.stop();
    expect(await here.findCrashed()).toEqual([]);
    expect(await here.findCrashed()).toEqual([there.id]);
    await end(attempt);
    expect(await here.findCrashed()).toEqual([]);
  });

  test('has not crashed if its row was removed while it ran, and it claimed an edit', async () => {
    await here.remove([there.id]);
    await sendFrom(there.id);
    expect(await here.findCrashed()).toEqual([]);
    await there.start();
    expect(await here.findCrashed()).toEqual([]);
    expect(await here.findCrashed()).toEqual([]);
  });

  test('that crashed keeps its row until its attempts have ended', async () => {
    const attempt = await sendFrom(there.id);
    await here.remove([there.id]);
    expect(await here.list()).toContain(there.id);
    await end(attempt);
    await here.remove([there.id]);
    expect(await here.list()).toEqual(new Set([here.id]));
  });

  test('that is alone removes all other rows at once, and finds those processes crashed', async () => {
    await sendFrom(there.id);
    const alone = createProcesses({
      prisma: database.prisma,
      alone: true,
      timeoutMs: TIMEOUT_MS,
      log,
    });
    await alone.start();
    expect(await alone.list()).toEqual(new Set([alone.id]));
    expect(await alone.findCrashed()).toEqual([there.id]);
    await alone.stop();
  });
});
