import type { PrismaClient } from '../database/database.ts';
import type { Log } from '../log.ts';
import type { JobDefinition, Queue } from './queue.ts';

/** A recurring job, run once for all processes. */
export interface RecurringWork {
  /**
   * Enqueues it now and at each interval. However many processes do so, it runs once per interval,
   * including one that began before this process started.
   * @param options.isDueNow Runs it at this start in any case. @default false
   */
  start(
    job: JobDefinition<Record<string, never>>,
    options: { everySeconds: number; isDueNow?: boolean },
  ): Promise<void>;
  /** Idempotent. */
  stop(): void;
}

export function createRecurringWork(options: {
  prisma: PrismaClient;
  queue: Pick<Queue, 'send'>;
  log: Log;
}): RecurringWork {
  const { prisma, queue, log } = options;
  const timers: NodeJS.Timeout[] = [];

  return {
    async start(job, { everySeconds, isDueNow = false }) {
      const send = () => queue.send(prisma, job, {}, { singletonSeconds: everySeconds });
      await (isDueNow ? queue.send(prisma, job, {}) : send());
      timers.push(
        setInterval(() => {
          send().catch((error) =>
            log.warn({ err: error, queue: job.name }, 'could not enqueue a recurring job'),
          );
        }, everySeconds * 1_000),
      );
    },
    stop() {
      for (const timer of timers.splice(0)) clearInterval(timer);
    },
  };
}
