import type { PrismaClient } from '../../database/database.ts';
import type { Log } from '../../log.ts';
import type { Events } from '../../queue/events.ts';
import { defineJob, type Queue } from '../../queue/queue.ts';
import type { RecurringWork } from '../../queue/recurring-jobs.ts';
import type { ModelListReader } from './model-list-reader.ts';
import { type ReadList, storeModelLists } from './stored-lists.ts';

const EVERY_SECONDS = 24 * 60 * 60;

/** Asks each upstream for its list of models. */
export const READ_MODEL_LISTS = defineJob<Record<string, never>>('read-model-lists', {
  retryLimit: 2,
  retryDelay: 60,
  heartbeatSeconds: 30,
  expireInSeconds: 5 * 60,
  deleteAfterSeconds: 2 * EVERY_SECONDS,
});

/**
 * Asks the upstreams now, since they may be configured anew, and once a day for all processes. An
 * upstream without a list, or with a problem, is none of the service.
 */
export async function startModelLists(options: {
  readers: readonly ModelListReader[];
  prisma: PrismaClient;
  events: Pick<Events, 'publish'>;
  queue: Queue;
  recurring: RecurringWork;
  log: Log;
}): Promise<{
  /** Ends a reading that runs, so that no shutdown waits for it. Idempotent. */
  stop(): void;
}> {
  const { readers, prisma, events, queue, recurring, log } = options;
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  if (readers.length === 0) return { stop };

  /** Null: not known, so an earlier list counts until it is too old. */
  async function readList(reader: ModelListReader, signal: AbortSignal): Promise<ReadList | null> {
    const { upstream } = reader;
    try {
      const models = await reader.read(signal);
      log.info({ upstream, models: models?.length ?? null }, 'read the list of models');
      return { upstream, models };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (!signal.aborted) log.info({ upstream, reason }, 'could not read the list of models');
      return null;
    }
  }

  queue.work(READ_MODEL_LISTS, {
    concurrency: 1,
    async handle(_, ending) {
      const signal = AbortSignal.any([ending, stopping.signal]);
      const read = await Promise.all(readers.map((reader) => readList(reader, signal)));
      // The next start asks again.
      if (signal.aborted) return;
      const known = read.filter((one) => one !== null);
      await storeModelLists({ prisma, events, read: known });
    },
  });
  await recurring.start(READ_MODEL_LISTS, { everySeconds: EVERY_SECONDS, isDueNow: true });
  return { stop };
}
