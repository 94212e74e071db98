import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Database } from '../../../src/database/database.ts';
import { type Backlog, createBacklog } from '../../../src/edits/submit/backlog.ts';
import { UnavailableError } from '../../../src/errors.ts';
import { createTestDatabase, hasDatabase, type TestDatabase } from '../../support/database.ts';

describe.runIf(hasDatabase)('the turns of edits that wait', () => {
  let testDatabase: TestDatabase;
  let database: Database;
  let backlog: Backlog;

  beforeEach(async () => {
    testDatabase = await createTestDatabase();
    database = await testDatabase.open();
    backlog = createBacklog({ prisma: database.prisma, maxQueued: 100, maxAgeMs: -1 });
  });
  afterEach(async () => {
    await database.close();
    await testDatabase.drop();
  });

  async function submit(ownerId: string, edits = 1): Promise<number[]> {
    const turns: number[] = [];
    for (let i = 0; i < edits; i++) {
      const { turn } = await backlog.admit(ownerId);
      const facts = { sandbox: true, model: 'm', size: 's', resolvedSize: 's', n: 1 };
      await database.prisma.editJob.create({ data: { ownerId, turn, ...facts } });
      turns.push(turn);
    }
    return turns;
  }

  /** Starts the first in line, as the queue would; answers its owner. */
  async function startNext(): Promise<string> {
    const { id, ownerId } = await database.prisma.editJob.findFirstOrThrow({
      where: { status: 'QUEUED' },
      orderBy: [{ turn: 'asc' }, { id: 'asc' }],
    });
    const data = { status: 'RUNNING', startedAt: new Date() } as const;
    await database.prisma.editJob.update({ where: { id }, data });
    return ownerId;
  }
  async function start(edits: number): Promise<string[]> {
    const owners: string[] = [];
    for (let i = 0; i < edits; i++) owners.push(await startNext());
    return owners;
  }

  test('are those of one owner, one after the other', async () => {
    expect(await submit('a', 3)).toEqual([0, 1, 2]);
    await start(2);
    expect(await submit('a', 2)).toEqual([3, 4]);
  });

  test('let one who comes late wait for one edit of each other', async () => {
    await submit('a', 10);
    await submit('b', 10);
    await start(8);
    await submit('late', 1);
    expect(await start(3)).toEqual(['a', 'b', 'late']);
  });

  test('give one who always has some waiting no more than the others', async () => {
    await submit('bulk', 20);
    await start(10);
    await submit('steady', 3);
    const owners: string[] = [];
    for (let i = 0; i < 12; i++) {
      owners.push(await startNext());
      if (owners.at(-1) === 'steady') await submit('steady', 1);
    }
    expect(owners.filter((owner) => owner === 'bulk')).toHaveLength(6);
  });

  test('do not go back to that of an edit that waits to be sent again', async () => {
    await submit('bulk', 10);
    await start(5);
    const retried = { status: 'QUEUED', nextAttemptAt: new Date() } as const;
    const first = { status: 'RUNNING', turn: 0 } as const;
    await database.prisma.editJob.updateMany({ where: first, data: retried });
    expect(await submit('late', 2)).toEqual([5, 6]);
    await database.prisma.editJob.deleteMany({ where: { startedAt: null } });
    expect(await submit('later', 1)).toEqual([0]);
  });

  test('begin anew when nothing waits', async () => {
    await submit('a', 5);
    await start(5);
    expect(await submit('b', 1)).toEqual([0]);
  });

  test('are no more than may wait', async () => {
    await submit('a', 60);
    await submit('b', 40);
    await expect(submit('c')).rejects.toThrow(UnavailableError);
    await start(1);
    await submit('c');
  });

  test('are refused to an owner beyond their share, and go on for others', async () => {
    const { prisma } = database;
    backlog = createBacklog({ prisma, maxQueued: 4, maxQueuedPerOwner: 2, maxAgeMs: -1 });
    await submit('a', 2);
    await expect(backlog.admit('a')).rejects.toThrow(
      /Your part of the queue is full: 2 of at most 2/,
    );
    await submit('b', 2);
    await expect(backlog.admit('c')).rejects.toThrow(/The queue is full: 4 of at most 4/);
    await start(1);
    await submit('a', 1);
  });
});
