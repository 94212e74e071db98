import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Database } from '../../../src/database/database.ts';
import {
  openStoredLists,
  type ReadList,
  storeModelLists,
} from '../../../src/edits-api/models/stored-lists.ts';
import { createLog } from '../../../src/log.ts';
import { createEvents, type Events } from '../../../src/queue/events.ts';
import { createTestDatabase, hasDatabase, type TestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
const log = createLog({ level: 'silent' });

describe.runIf(hasDatabase)('stored lists of models', () => {
  let testDatabase: TestDatabase;
  let database: Database;
  let events: Events;

  beforeEach(async () => {
    testDatabase = await createTestDatabase();
    database = await testDatabase.open();
    events = createEvents({ database, log });
    await events.start();
  });
  afterEach(async () => {
    await events.stop();
    await database.close();
    await testDatabase.drop();
  });

  const listOf = (upstream: string, ...ids: string[]): ReadList => ({
    upstream,
    models: ids.map((id) => ({ id, created: 1, ownedBy: 'us', shutdownDate: null })),
  });
  const store = (read: readonly ReadList[], readAt = new Date()) =>
    storeModelLists({ prisma: database.prisma, events, read, readAt });
  async function open(now?: () => Date) {
    const lists = await openStoredLists({
      prisma: database.prisma,
      events,
      log,
      ...(now && { now }),
    });
    onTestFinished(() => lists.close());
    return lists;
  }

  test('are known to a process that starts later', async () => {
    await store([listOf('b', 'm2'), listOf('a', 'm1')]);
    const known = (await open()).current();
    expect([...known.keys()].toSorted()).toEqual(['a', 'b']);
    expect(known.get('a')?.get('m1')).toEqual({
      id: 'm1',
      created: 1,
      ownedBy: 'us',
      shutdownDate: null,
    });
  });

  test('are read again by every process once they have changed', async () => {
    const lists = await open();
    let changes = 0;
    lists.subscribe(() => {
      changes += 1;
    });
    expect(lists.current().size).toBe(0);
    await store([listOf('a', 'm1')]);
    await eventually(() => expect(lists.current().get('a')?.get('m1')).toBeTruthy());
    await store([listOf('a', 'm2')]);
    await eventually(() => expect(lists.current().get('a')?.get('m2')).toBeTruthy());
    expect(lists.current().get('a')?.get('m1')).toBeNull();
    expect(changes).toBeGreaterThanOrEqual(2);
  });

  test('of an upstream that has none are forgotten; those of others stay', async () => {
    await store([listOf('a', 'm1'), listOf('b', 'm2')]);
    await store([{ upstream: 'a', models: null }]);
    expect([...(await open()).current().keys()]).toEqual(['b']);
  });

  test('say nothing any more a week after they were read', async () => {
    const readAt = new Date('2026-11-01T00:00:00Z');
    await store([listOf('a', 'm1')], readAt);
    let now = new Date(readAt.getTime() + 7 * DAY_MS);
    const lists = await open(() => now);
    expect(lists.current().has('a')).toBe(true);
    now = new Date(now.getTime() + 1);
    expect(lists.current().has('a')).toBe(false);
  });

  test('that this release cannot read are not known', async () => {
    await database.prisma.upstreamModels.create({
      data: { name: 'a', models: { models: [] }, readAt: new Date() },
    });
    expect((await open()).current().size).toBe(0);
  });
});
