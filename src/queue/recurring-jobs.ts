import type { PrismaClient } from '../database/database.ts';
import type { Log } from '../log.ts';
import type { JobDefinition, Queue } from './queue.ts';

/** Work that comes again and again, done once for all processes. */
export interface RecurringWork {
  /**
   * Enqueues it now and every so many seconds. However many processes do so, it runs once in a span
   * of that length, a span that has begun before this process included.
   */
  start(
    job: JobDefinition<Record<string, never>>,
    options: { everySeconds: number },
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
    async start(job, { everySeconds }) {
      const send = () => queue.send(prisma, job, {}, { singletonSeconds: everySeconds });
      await send();
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
