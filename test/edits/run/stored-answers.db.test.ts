import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Database } from '../../../src/database/database.ts';
import { createAnswerFiles } from '../../../src/edits/run/answer-files.ts';
import { createStoreAnswer, createStoredAnswers } from '../../../src/edits/run/stored-answers.ts';
import { createTestDatabase, hasDatabase, type TestDatabase } from '../../support/database.ts';
import { filesIn } from '../../support/directory.ts';
import { temporaryStorage } from '../../support/storage.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
const { signal } = new AbortController();

describe.runIf(hasDatabase)('a stored answer', () => {
  let testDatabase: TestDatabase;
  let database: Database;

  beforeEach(async () => {
    testDatabase = await createTestDatabase();
    database = await testDatabase.open();
  });
  afterEach(async () => {
    await database.close();
    await testDatabase.drop();
  });

  /** An attempt whose outcome is unknown. */
  async function attempt(): Promise<string> {
    const { prisma } = database;
    const job = { ownerId: 'o', sandbox: true, model: 'm', size: 's', resolvedSize: 's', n: 1 };
    const { id: jobId } = await prisma.editJob.create({ data: job });
    const { id } = await prisma.editAttempt.create({
      data: {
        ownerId: 'o',
        jobId,
        number: 1,
        state: 'UNKNOWN',
        processId: randomUUID(),
        upstream: 'default',
      },
    });
    return id;
  }

  async function open() {
    const { prisma } = database;
    const { blobs, dir } = await temporaryStorage();
    const answerFiles = createAnswerFiles({ dir: join(dir, 'answers') });
    await answerFiles.sweep(0);
    const storeAnswer = createStoreAnswer({ prisma, blobs, answerFiles });
    const storedAnswers = (inDays = 0) =>
      createStoredAnswers({
        prisma,
        blobs,
        maxAgeDays: 30,
        now: () => Date.now() + inDays * DAY_MS,
      });
    const isNoted = async (id: string) =>
      (await prisma.editAttempt.findUniqueOrThrow({ where: { id } })).answerStoredAt !== null;
    return { answerFiles, storeAnswer, storedAnswers, isNoted, blobs };
  }

  test('is moved from the disk, noted and read; nothing is noted where nothing came', async () => {
    const { answerFiles, storeAnswer, storedAnswers, isNoted } = await open();
    const [id, empty, none] = [await attempt(), await attempt(), await attempt()];
    await writeFile(answerFiles.pathOf(id), '{"data":');
    await writeFile(answerFiles.pathOf(empty), '');
    for (const one of [id, empty, none]) await storeAnswer(one);
    expect([await isNoted(id), await isNoted(empty), await isNoted(none)]).toEqual([
      true,
      false,
      false,
    ]);
    expect(await answerFiles.idle(0)).toEqual([]);
    const bytes = await storedAnswers().open(id);
    expect(bytes && (await buffer(bytes)).toString()).toBe('{"data":');
    expect(await storedAnswers().open(empty)).toBeNull();
  });

  test('that was moved by a process that died then is noted', async () => {
    const { answerFiles, storeAnswer, isNoted, blobs } = await open();
    const id = await attempt();
    await writeFile(answerFiles.pathOf(id), '{');
    await blobs.put(`answers/${id}`, answerFiles.pathOf(id));
    await storeAnswer(id);
    expect(await isNoted(id)).toBe(false);
    await storeAnswer(id, { mayBeMoved: true });
    expect(await isNoted(id)).toBe(true);
  });

  test('is removed when it is too old, and nothing else of the storage is', async () => {
    const { answerFiles, storeAnswer, storedAnswers, isNoted, blobs } = await open();
    const ids = [await attempt(), await attempt()];
    for (const id of [...ids, randomUUID(), 'no-id']) {
      await writeFile(answerFiles.pathOf(id), '{');
      await storeAnswer(id).catch(() => undefined);
    }
    const other = 'f'.repeat(32);
    await writeFile(answerFiles.pathOf('other'), 'x');
    await blobs.put(`${other}/aa/x`, answerFiles.pathOf('other'));
    expect(await storedAnswers(29).sweep(signal)).toBe(0);
    expect(await storedAnswers(31).sweep(signal)).toBe(4);
    expect(await Promise.all(ids.map(isNoted))).toEqual([false, false]);
    expect(await storedAnswers().open(ids[0] ?? '')).toBeNull();
    expect(await blobs.size(`${other}/aa/x`)).toBe(1);
    expect(await filesIn(answerFiles.pathOf(''))).toEqual([]);
  });
});
