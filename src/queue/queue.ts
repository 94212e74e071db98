import { fromPrisma, PgBoss, type QueueOptions } from 'pg-boss';
import { type Database, Prisma, type Transaction } from '../database/database.ts';
import { createSchema } from '../database/migrations.ts';
import type { Log } from '../log.ts';
import { type Dispatcher, startDispatcher, type Worker } from './dispatcher.ts';
import type { Events, ServiceEvent } from './events.ts';
import { type QueueStats, readQueueStats } from './queue-stats.ts';
import { nameOwner, refuseForeignQueue } from './schema-owner.ts';

const NO_JOB = '00000000-0000-0000-0000-000000000000';

/** How often to check whether the database's clock was set back, in milliseconds. */
const CLOCK_CHECK_MS = 10_000;

/** The definition of a kind of queue job. */
export interface JobDefinition<Data extends object> {
  readonly name: string;
  readonly options: QueueOptions;
  /** Only carries the type. */
  readonly data?: Data;
}

export function defineJob<Data extends object>(
  name: string,
  options: QueueOptions,
): JobDefinition<Data> {
  return { name, options };
}

export interface SendOptions {
  /** Earliest start. */
  readonly startAfter?: Date;
  /** Higher values first; among equals, the older job first. @default 0 */
  readonly priority?: number;
  /**
   * Of the jobs that all processes send in one span of this many seconds, only the first is
   * enqueued. Spans count from the epoch; the definition's `deleteAfterSeconds` must be longer.
   */
  readonly singletonSeconds?: number;
}

/** The queue, on the same Postgres: a job is enqueued in the transaction that needs it. */
export interface Queue {
  /**
   * Creates or migrates the queue's own tables, in a separate schema, and the queues. With `alone`,
   * no other process can be on this database, so jobs that were running belonged to a process that
   * has ended, and are delivered again at once. Otherwise that takes until their missing heartbeat
   * is noticed: at most 47 s (30 s heartbeat, 10 s check interval, 5 s retry delay, 2 s poll).
   */
  start(definitions: readonly JobDefinition<object>[], options?: { alone: boolean }): Promise<void>;
  /** Enqueues in `tx`; the statement that wakes the workers also publishes `news`. */
  send<Data extends object>(
    tx: Pick<Transaction, '$queryRawUnsafe' | '$executeRaw'>,
    job: JobDefinition<Data>,
    data: Data,
    options?: SendOptions,
    ...news: ServiceEvent[]
  ): Promise<void>;
  /** Starts taking queue jobs of this kind. */
  work<Data extends object>(job: JobDefinition<Data>, worker: Worker<Data>): void;
  /**
   * Of each kind that was started, now: pg-boss's own statistics are up to a minute old, and do not
   * tell the age. One statement, which reads only what has not ended.
   */
  stats(): Promise<readonly QueueStats[]>;
  /**
   * Whether this process takes queue jobs: it has started to, and its last fetches did not fail.
   */
  isTaking(): boolean;
  /**
   * Takes no more jobs, waits `graceMs` for running ones, then aborts them and waits for their end.
   * Jobs can still be sent.
   */
  drain(options: { graceMs: number }): Promise<void>;
  /** Drains, then closes its connections. */
  stop(options: { graceMs: number }): Promise<void>;
}

/**
 * pg-boss with our own dispatcher: one fetch for all free slots per wake-up. Its own `work()` lets
 * each of its N workers fetch on each notification, and waits for its polling interval even with a
 * backlog.
 */
export function createQueue(options: {
  database: Database;
  events: Events;
  /**
   * Whether this process maintains the queue: it delivers jobs of ended processes again and removes
   * finished ones. At least one worker must. @default true
   */
  supervise?: boolean;
  /**
   * A worker whose fetches have all failed or hung for this long is unhealthy.
   * @default 15_000 // 15 seconds
   */
  maxLookAgeMs?: number;
  log: Log;
}): Queue {
  const { database, events, supervise = true, maxLookAgeMs = 15_000, log } = options;
  // In quotes, pg-boss uses it unchanged.
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
    // Delay before a job of an ended process is delivered again, after its missed heartbeat.
    superviseIntervalSeconds: 10,
    monitorIntervalSeconds: 10,
    // How often jobs are removed that ended `deleteAfterSeconds` ago.
    maintenanceIntervalSeconds: 5 * 60,
    // Rebuilding bloated indexes needs CONCURRENTLY, which an embedded database does not support.
    reindex: database.kind === 'postgres',
  });
  boss.on('error', (error) => log.error({ err: error }, 'queue'));
  boss.on('warning', (warning) => log.warn({ warning }, 'queue'));
  const dispatchers: Dispatcher[] = [];
  let names: readonly string[] = [];
  let clockCheck: NodeJS.Timeout | undefined;

  /**
   * A job enqueued in the future was enqueued before the database's clock was set back: from now
   * on, it waits as long as it originally had to.
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
   * Returns running jobs to the queue. That counts as a failure, so that a job that kills its
   * process is not retried forever, but without the retry delay.
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
      names = definitions.map(({ name }) => name);
      for (const { name, options } of definitions) {
        await boss.createQueue(name, options);
        await boss.updateQueue(name, options);
        // pg-boss reads a queue's settings at first use. Inside a transaction on an embedded
        // database, that statement would deadlock with the transaction.
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
    stats: () => readQueueStats(database.prisma, jobs, names),
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
