import type { Database } from '../../src/database/database.ts';
import { migrate } from '../../src/database/migrations.ts';
import { createLog } from '../../src/log.ts';
import { createEvents } from '../../src/queue/events.ts';
import { createQueue, defineJob } from '../../src/queue/queue.ts';

const PING = defineJob<{ sentMs: number }>('bench-ping', { retryLimit: 0 });
const log = createLog({ level: 'warn' });

/**
 * From the last statement of a transaction that enqueues work to the worker's first line, the commit
 * included, one after the other; in milliseconds.
 */
export async function measureLatencies(database: Database, samples: number): Promise<number[]> {
  await migrate({ database, log });
  const events = createEvents({ database, log });
  await events.start();
  const queue = createQueue({ database, events, log });
  await queue.start([PING]);
  const latenciesMs: number[] = [];
  let taken = () => {};
  queue.work(PING, {
    concurrency: 4,
    async handle({ sentMs }) {
      latenciesMs.push(performance.now() - sentMs);
      taken();
    },
  });
  for (let i = 0; i < samples; i++) {
    const { promise, resolve } = Promise.withResolvers<void>();
    taken = resolve;
    await database.prisma.$transaction(async (tx) => {
      await queue.send(tx, PING, { sentMs: performance.now() });
    });
    await promise;
  }
  await queue.stop({ graceMs: 0 });
  await events.stop();
  return latenciesMs;
}
