import { fromPrisma, PgBoss, type QueueOptions } from 'pg-boss';
import { type Database, Prisma, type Transaction } from '../database/database.ts';
import { createSchema } from '../database/migrations.ts';
import type { Log } from '../log.ts';
import { type Dispatcher, startDispatcher, type Worker } from './dispatcher.ts';
import type { Events, ServiceEvent } from './events.ts';
import { nameOwner, refuseForeignQueue } from './schema-owner.ts';

const NO_JOB = '00000000-0000-0000-0000-000000000000';

/** How often it is looked whether the database's clock was set back, in milliseconds. */
const CLOCK_CHECK_MS = 10_000;

/** A kind of work, named once. */
export interface JobDefinition<Data extends object> {
  readonly name: string;
  readonly options: QueueOptions;
  /** Only there to carry the type. */
  readonly data?: Data;
}

export function defineJob<Data extends object>(
  name: string,
  options: QueueOptions,
): JobDefinition<Data> {
  return { name, options };
}

export interface SendOptions {
  /** Not before this time. */
  readonly startAfter?: Date;
  /** Higher goes first; of equals, the older. @default 0 */
  readonly priority?: number;
  /**
   * Of those sent in one span of so many seconds, by whatever processes, only the first is kept. Spans
   * are counted from the epoch; the definition's `deleteAfterSeconds` must be longer.
   */
  readonly singletonSeconds?: number;
}

/** The queue on the same Postgres: work is enqueued in the transaction that makes it necessary. */
export interface Queue {
  /**
   * Creates or migrates the queue's own tables, in a schema of their own, and the queues. `alone`: no other
   * process can be on this database, so work that is under way was a dead one's, and is handed out
   * again at once. Otherwise that takes until its missing heartbeat is noticed: 47 s at most after
   * the death, of which 30 are the heartbeat, 10 the look for it, 5 a delivery's wait after a failure
   * and 2 the poll.
   */
  start(definitions: readonly JobDefinition<object>[], options?: { alone: boolean }): Promise<void>;
  /** Enqueues in `tx`; `news` is published with the same statement that wakes the workers. */
  send<Data extends object>(
    tx: Pick<Transaction, '$queryRawUnsafe' | '$executeRaw'>,
    job: JobDefinition<Data>,
    data: Data,
    options?: SendOptions,
    ...news: ServiceEvent[]
  ): Promise<void>;
  /** Starts taking work of this kind. */
  work<Data extends object>(job: JobDefinition<Data>, worker: Worker<Data>): void;
  /** Whether this process takes work: it has begun to, and its last looks for some did not fail. */
  isTaking(): boolean;
  /**
   * Takes no more work, waits `graceMs` for what runs, then aborts it and waits for its end. Work can
   * still be sent.
   */
  drain(options: { graceMs: number }): Promise<void>;
  /** Drains, and lets the database go. */
  stop(options: { graceMs: number }): Promise<void>;
}

/**
 * pg-boss with a dispatcher of our own: one fetch for all free places per wake-up, where its
 * `work()` has each of its N workers fetch on each notification, and waits out its polling interval
 * with a backlog.
 */
export function createQueue(options: {
  database: Database;
  events: Events;
  /**
   * Whether this process looks after the queue: hands out again what the dead had, and removes what
   * is done. One of those that work must. @default true
   */
  supervise?: boolean;
  /**
   * A worker whose looks for work have all failed, or hung, for so long is not well.
   * @default 15_000 // 15 seconds
   */
  maxLookAgeMs?: number;
  log: Log;
}): Queue {
  const { database, events, supervise = true, maxLookAgeMs = 15_000, log } = options;
  // In quotes pg-boss takes it as it is.
  const { queueSchema } = database.names;
  const schema = `"${queueSchema}"`;
  const jobs = Prisma.raw(`${schema}.job`);
  const boss = new PgBoss({
    ...database.boss,
    schema,
    createSchema: false,
    allowSchemaCaseVariant: true,
    schedule: false,
    supervise,
    // How soon work of a process that died is handed out again, beyond its missing heartbeat.
    superviseIntervalSeconds: 10,
    monitorIntervalSeconds: 10,
    // Rebuilds of bloated indexes need CONCURRENTLY, which an embedded database cannot do.
    reindex: database.kind === 'postgres',
  });
  boss.on('error', (error) => log.error({ err: error }, 'queue'));
  boss.on('warning', (warning) => log.warn({ warning }, 'queue'));
  const dispatchers: Dispatcher[] = [];
  let clockCheck: NodeJS.Timeout | undefined;

  /**
   * What was enqueued in the future was enqueued before the database's clock was set back: it waits as
   * long from now on as it was to wait then.
   */
  async function followClock(): Promise<void> {
    await database.prisma.$executeRaw`
      UPDATE ${jobs} SET start_after = now() + greatest(start_after - created_on, '0'), created_on = now()
      WHERE state = 'created' AND created_on > now() + interval '1 minute'`;
  }

  async function drain({ graceMs }: { graceMs: number }): Promise<void> {
    await Promise.all(dispatchers.splice(0).map((dispatcher) => dispatcher.stop(graceMs)));
  }

  /**
   * Gives work that is under way back. It counts as a failure, so that what kills the process is not
   * tried for ever, but without the wait after one.
   */
  async function releaseAll(name: string): Promise<void> {
    const active = await database.prisma.$queryRaw<{ id: string }[]>`
      SELECT id::text AS id FROM ${jobs} WHERE name = ${name} AND state = 'active'`;
    if (active.length === 0) return;
    const ids = active.map(({ id }) => id);
    await boss.fail(name, ids);
    await database.prisma.$executeRaw`
      UPDATE ${jobs} SET start_after = now()
      WHERE name = ${name} AND state = 'retry' AND id::text = ANY(${ids})`;
  }

  return {
    async start(definitions, { alone = false } = { alone: false }) {
      await createSchema(database, queueSchema);
      await refuseForeignQueue(database);
      await boss.start();
      await nameOwner(database);
      await followClock();
      if (supervise) {
        clockCheck ??= setInterval(() => {
          followClock().catch((error) => log.warn({ err: error }, 'could not check the queue'));
        }, CLOCK_CHECK_MS);
      }
      for (const { name, options } of definitions) {
        await boss.createQueue(name, options);
        await boss.updateQueue(name, options);
        // pg-boss reads a queue's settings at first use. Were that inside a transaction on an embedded
        // database, its own statement would wait for that very transaction.
        await boss.findJobs(name, { id: NO_JOB });
        if (alone) await releaseAll(name);
      }
    },
    async send(tx, job, data, sendOptions = {}, ...news) {
      await boss.insert(job.name, [{ data, ...sendOptions }], { db: fromPrisma(tx) });
      await events.publish(tx, { kind: 'work', queue: job.name }, ...news);
    },
    work(job, worker) {
      dispatchers.push(
        startDispatcher({ boss, events, maxLookAgeMs, log, name: job.name, worker }),
      );
    },
    isTaking: () =>
      dispatchers.length > 0 && dispatchers.every((dispatcher) => dispatcher.hasLooked()),
    drain,
    async stop({ graceMs }) {
      clearInterval(clockCheck);
      await drain({ graceMs });
      await boss.stop({ graceful: false, close: false });
    },
  };
}
