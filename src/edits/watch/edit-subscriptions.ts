import type { Viewer } from '../../auth/viewer.ts';
import { visibleOwner } from '../../auth/visible.ts';
import type { PrismaClient } from '../../database/database.ts';
import { NotFoundError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { Events } from '../../queue/events.ts';
import { EditStatus, isFinal } from '../edit-status.ts';
import type { History } from '../history/history.ts';
import type { HistoryFilter } from '../history/history-query.ts';
import { inHistory } from '../history/in-history.ts';
import { createCatchUp, MAX_JOBS_AT_ONCE, PROGRESS, progressOf } from './catch-up.ts';
import { type EditEventStream, filterEvents } from './event-queue.ts';
import { createSubscribers } from './subscribers.ts';

/** More than clocks differ and transactions take. */
const CATCH_UP_MARGIN_MS = 60_000;

/**
 * The progress of edits, in whichever process they run. All subscribers share one connection for
 * events; if it is lost, they receive what they missed. The same state may be sent twice, never an
 * older one after a newer one.
 */
export interface EditSubscriptions {
  /**
   * First the current state, then each change and each partial image; ends when the job is final.
   * @throws NotFoundError; UnavailableError while the service shuts down.
   */
  toJob(viewer: Viewer, id: string): Promise<EditEventStream>;
  /**
   * First the viewer's jobs that are not final, then each change of any; does not end. Only jobs that
   * match `filter` at that time, and every deletion, as a deleted job cannot be matched.
   */
  toAll(viewer: Viewer, filter: HistoryFilter): Promise<EditEventStream>;
  /** Ends all with an UnavailableError, so that clients subscribe elsewhere. Idempotent. */
  stop(): Promise<void>;
}

export function createEditSubscriptions(options: {
  prisma: PrismaClient;
  history: Pick<History, 'pages' | 'matches'>;
  events: Events;
  log: Log;
}): EditSubscriptions {
  const { prisma, history, events, log } = options;
  const stopping = new AbortController();
  const subscribers = createSubscribers({ log });
  const catchUp = createCatchUp({ prisma, subscribers, signal: stopping.signal, log });
  let lastEventMs = Date.now();
  let catchingUp = Promise.resolve();

  const unsubscribe = events.subscribe((event) => {
    if (event.kind === 'missed') {
      // The clock may have been set back since the last event.
      const since = new Date(Math.min(lastEventMs, Date.now()) - CATCH_UP_MARGIN_MS);
      catchingUp = catchingUp.then(() => catchUp(since));
    } else if (event.kind === 'edit') subscribers.push(event);
    lastEventMs = Date.now();
  });

  return {
    async toJob(viewer, id) {
      // Before the job is read, so that no change is missed in between.
      const subscriber = subscribers.addToJob(id);
      const { queue } = subscriber;
      queue.push({ type: 'CURRENT', jobId: id, partialImageIndex: null });
      try {
        const job = await prisma.editJob.findFirst({
          where: { id, ...inHistory(viewer) },
          select: PROGRESS,
        });
        if (job === null) throw new NotFoundError('EditJob', id);
        subscriber.progress = progressOf(job);
        subscriber.partials = Math.max(subscriber.partials, job._count.images);
        if (isFinal(job.status)) queue.finish();
        return queue;
      } catch (error) {
        await queue.return();
        throw error;
      }
    },

    async toAll(viewer, filter) {
      const queue = subscribers.addToOwner(visibleOwner(viewer));
      try {
        const status = (filter.status ?? Object.values(EditStatus)).filter((one) => !isFinal(one));
        const newest = await history.pages(viewer, { filter: { ...filter, status } }).next();
        const ids = [...(newest.value ?? [])].slice(0, MAX_JOBS_AT_ONCE).reverse();
        // Before the changes that happened while they were read.
        queue.prepend(ids.map((jobId) => ({ type: 'CURRENT', jobId, partialImageIndex: null })));
      } catch (error) {
        await queue.return();
        throw error;
      }
      if (Object.values(filter).every((value) => value === null || value === undefined)) {
        return queue;
      }
      return filterEvents(queue, ({ jobId }) => history.matches(viewer, filter, jobId));
    },

    async stop() {
      unsubscribe();
      stopping.abort();
      subscribers.stop();
      await catchingUp;
    },
  };
}
