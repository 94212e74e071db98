import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { createLog } from '../../src/log.ts';
import { createEvents, type Events } from '../../src/queue/events.ts';
import { createQueue, defineJob, type Queue } from '../../src/queue/queue.ts';
import { createTestDatabase, hasDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { JOB_TABLE, QUEUE_TABLE } from '../support/sql-client.ts';

const GREET = defineJob<{ name: string }>('greet', { retryLimit: 0, deleteAfterSeconds: 60 * 60 });
/** Its wait after a failure outlasts a test. */
const PATIENT = defineJob<{ name: string }>('patient', { retryLimit: 1, retryDelay: 600 });
const log = createLog({ level: 'silent' });

describe.runIf(hasDatabase)('the queue', () => {
  let testDatabase: TestDatabase;
  let database: Database;
  let events: Events;
  let queue: Queue;
  let successors: Queue[];

  beforeEach(async () => {
    testDatabase = await createTestDatabase();
    database = await testDatabase.open();
    events = createEvents({ database, log });
    await events.start();
    queue = createQueue({ database, events, maxLookAgeMs: 2_500, log });
    await queue.start([GREET, PATIENT]);
    successors = [];
  });
  afterEach(async () => {
    for (const one of [queue, ...successors]) await one.stop({ graceMs: 0 });
    await events.stop();
    await database.close();
    await testDatabase.drop();
  });

  const send = (name: string) =>
    database.prisma.$transaction((tx) => queue.send(tx, GREET, { name }));

  test('hands work to a worker when, and only if, its transaction commits', async () => {
    const names: string[] = [];
    queue.work(GREET, { concurrency: 2, handle: async ({ name }) => void names.push(name) });
    const failed = database.prisma.$transaction(async (tx) => {
      await queue.send(tx, GREET, { name: 'rolled back' });
      throw new Error('no');
    });
    await expect(failed).rejects.toThrow('no');
    await send('committed');
    await eventually(() => expect(names).toEqual(['committed']));
  });

  test('does work that was enqueued before anybody worked, each once', async () => {
    const expected = Array.from({ length: 12 }, (_, i) => `n${i}`);
    for (const name of expected) await send(name);
    const names: string[] = [];
    queue.work(GREET, { concurrency: 3, handle: async ({ name }) => void names.push(name) });
    await eventually(() => expect(names).toHaveLength(12));
    expect(names.toSorted()).toEqual(expected.toSorted());
  });

  test('runs at most `concurrency` at once, and fills a free place at once', async () => {
    let running = 0;
    let most = 0;
    const releases: (() => void)[] = [];
    queue.work(GREET, {
      concurrency: 2,
      async handle() {
        most = Math.max(most, ++running);
        await new Promise<void>((resolve) => releases.push(resolve));
        running--;
      },
    });
    for (let i = 0; i < 5; i++) await send(`n${i}`);
    await eventually(() => expect(running).toBe(2));
    for (let done = 0; done < 5; done++) {
      await eventually(() => expect(releases.length).toBeGreaterThan(0));
      releases.shift()?.();
    }
    await eventually(() => expect(running).toBe(0));
    expect(most).toBe(2);
  });

  test('never repeats work that failed when it must not be retried', async () => {
    let calls = 0;
    queue.work(GREET, {
      concurrency: 1,
      async handle({ name }) {
        if (name === 'bad') {
          calls++;
          throw new Error('bad');
        }
      },
    });
    await send('bad');
    await eventually(() => expect(calls).toBe(1));
    await eventually(async () => {
      const [row] = await database.prisma.$queryRaw<{ state: string }[]>`
        SELECT state::text AS state FROM ${JOB_TABLE} WHERE name = 'greet'`;
      expect(row?.state).toBe('failed');
    });
    expect(calls).toBe(1);
  });

  test('a stop waits for what runs, aborts it after the grace time, and takes no more', async () => {
    const started = Promise.withResolvers<void>();
    let aborted = false;
    queue.work(GREET, {
      concurrency: 1,
      async handle(_, signal) {
        started.resolve();
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        aborted = true;
      },
    });
    await send('long');
    await started.promise;
    await queue.stop({ graceMs: 0 });
    expect(aborted).toBe(true);
  });

  test('removes what ended `deleteAfterSeconds` ago within minutes, and nothing younger', async () => {
    const { prisma } = database;
    const left = async () => {
      const rows = await prisma.$queryRaw<{ name: string }[]>`
        SELECT data->>'name' AS name FROM ${JOB_TABLE} WHERE state = 'completed'`;
      return rows.map(({ name }) => name).sort();
    };
    for (const name of ['old', 'young']) await send(name);
    queue.work(GREET, { concurrency: 2, handle: async () => {} });
    await eventually(async () => expect(await left()).toEqual(['old', 'young']));
    await prisma.$executeRaw`
      UPDATE ${JOB_TABLE} SET completed_on = completed_on - interval '61 minutes'
      WHERE data->>'name' = 'old'`;
    await prisma.$executeRaw`UPDATE ${QUEUE_TABLE} SET maintain_on = now() - interval '10 minutes'`;
    await eventually(async () => expect(await left()).toEqual(['young']));
  });

  test('waits no longer than was planned after the clock was set back two hours', async () => {
    const { prisma } = database;
    const soon = new Date(Date.now() + 600_000);
    await queue.send(prisma, GREET, { name: 'at once' });
    await queue.send(prisma, GREET, { name: 'later' }, { startAfter: soon });
    await prisma.$executeRaw`
      UPDATE ${JOB_TABLE} SET created_on = created_on + interval '2 hours',
        start_after = start_after + interval '2 hours'`;
    const names: string[] = [];
    const next = createQueue({ database, events, log });
    successors.push(next);
    await next.start([GREET]);
    next.work(GREET, { concurrency: 2, handle: async ({ name }) => void names.push(name) });
    await eventually(() => expect(names).toEqual(['at once']));
    const rows = await prisma.$queryRaw<{ wait: number }[]>`
      SELECT extract(epoch FROM start_after - now())::float8 AS wait FROM ${JOB_TABLE}
      WHERE state = 'created'`;
    expect(rows).toHaveLength(1);
    expect(rows[0]?.wait).toBeGreaterThan(0);
    expect(rows[0]?.wait).toBeLessThanOrEqual(600);
  });

  test('tells whether this process takes work: from its first look until it stops', async () => {
    expect(queue.isTaking()).toBe(false);
    queue.work(GREET, { concurrency: 1, handle: async () => {} });
    expect(queue.isTaking()).toBe(true);
    await queue.drain({ graceMs: 0 });
    expect(queue.isTaking()).toBe(false);
  });

  test('tells that its looks for work fail, and that they do no more', async () => {
    let isAway = true;
    const places = async () => {
      if (isAway) throw new Error('the database is away');
      return 1;
    };
    queue.work(GREET, { concurrency: 1, places, handle: async () => {} });
    const becomes = (taking: boolean) => eventually(() => expect(queue.isTaking()).toBe(taking));
    await becomes(false);
    isAway = false;
    await becomes(true);
  });

  test('hands out at once what a dead process had, when nobody else can be there, as often as it may fail', async () => {
    const names = (of: Queue) => {
      const begun: string[] = [];
      of.work(PATIENT, {
        concurrency: 1,
        async handle({ name }, signal) {
          begun.push(name);
          await new Promise((_, reject) => signal.addEventListener('abort', reject));
        },
      });
      return begun;
    };
    const successor = async () => {
      const next = createQueue({ database, events, log });
      successors.push(next);
      await next.start([PATIENT], { alone: true });
      return next;
    };
    await database.prisma.$transaction((tx) => queue.send(tx, PATIENT, { name: 'held' }));
    const first = names(queue);
    await eventually(() => expect(first).toEqual(['held']));

    const second = names(await successor());
    await eventually(() => expect(second).toEqual(['held']));

    await successor();
    const [row] = await database.prisma.$queryRaw<{ state: string }[]>`
      SELECT state::text AS state FROM ${JOB_TABLE} WHERE name = 'patient'`;
    expect(row?.state).toBe('failed');
  });
});
