import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { createLog } from '../../src/log.ts';
import { createEvents, type EventListener, type Events } from '../../src/queue/events.ts';
import { createTestDatabase, hasDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';

const log = createLog({ level: 'silent' });
type News = Parameters<EventListener>[0];

describe.runIf(hasDatabase)('events', () => {
  let testDatabase: TestDatabase;
  let database: Database;
  let events: Events;
  let heard: News[];

  beforeEach(async () => {
    testDatabase = await createTestDatabase();
    database = await testDatabase.open();
    events = createEvents({ database, log });
    heard = [];
    events.subscribe((event) => heard.push(event));
    await events.start();
  });
  afterEach(async () => {
    await events.stop();
    await database.close();
    await testDatabase.drop();
  });

  const edit = (jobId: string) => ({ kind: 'edit', jobId, ownerId: 'o', final: false }) as const;

  test('are heard when, and only if, their transaction commits', async () => {
    const failed = database.prisma.$transaction(async (tx) => {
      await events.publish(tx, edit('rolled back'));
      throw new Error('no');
    });
    await expect(failed).rejects.toThrow('no');
    await database.prisma.$transaction((tx) => events.publish(tx, edit('a'), edit('b')));
    await eventually(() => expect(heard).toContainEqual(edit('b')));
    expect(heard.filter(({ kind }) => kind === 'edit')).toEqual([edit('a'), edit('b')]);
  });

  test('reach every listener of every process on the database', async () => {
    const other = createEvents({ database, log });
    const heardThere: News[] = [];
    other.subscribe((event) => heardThere.push(event));
    await other.start();
    await events.publish(database.prisma, edit('x'));
    await eventually(() => expect(heardThere).toContainEqual(edit('x')));
    await eventually(() => expect(heard).toContainEqual(edit('x')));
    await other.stop();
  });

  test('ignores what is not ours on the channel', async () => {
    await database.prisma.$executeRaw`SELECT pg_notify(${database.names.channel}, 'nonsense')`;
    await database.prisma
      .$executeRaw`SELECT pg_notify(${database.names.channel}, '{"kind":"other"}')`;
    await events.publish(database.prisma, edit('after'));
    await eventually(() => expect(heard).toContainEqual(edit('after')));
    expect(heard.filter(({ kind }) => kind !== 'missed')).toEqual([edit('after')]);
  });

  test('says that some may have been missed after the line was cut', async ({ skip }) => {
    if (database.kind !== 'postgres') skip('an embedded database has no line to cut');
    heard.length = 0;
    await database.prisma.$queryRaw`
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE query LIKE '%LISTEN%' AND pid <> pg_backend_pid() AND datname = current_database()`;
    await eventually(() => expect(heard).toContainEqual({ kind: 'missed' }));
    await events.publish(database.prisma, edit('again'));
    await eventually(() => expect(heard).toContainEqual(edit('again')));
  });
});
