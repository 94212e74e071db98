import { setTimeout as delay } from 'node:timers/promises';
import type { Viewer } from '../../auth/viewer.ts';
import { ofAllOwners, ownedBy, viewerOf, visibleOwner } from '../../auth/visible.ts';
import type { Prisma, PrismaClient } from '../../database/database.ts';
import { NotFoundError, UnavailableError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { Events, ServiceEvent } from '../../queue/events.ts';
import { EditStatus, FINAL_STATUSES, isFinal } from '../edit-status.ts';
import type { History } from '../history/history.ts';
import type { HistoryFilter } from '../history/history-query.ts';
import { inHistory } from '../history/in-history.ts';
import { createNewsQueue, type EditNewsStream, type NewsQueue, onlyThose } from './event-queue.ts';

/** Between two tries to read what was missed, in milliseconds. */
const CATCH_UP_RETRY_MS = 1_000;

/** Longer than clocks differ and transactions take. */
const CATCH_UP_MARGIN_MS = 60_000;

/** Jobs that a subscriber to all of an owner's is told of at once. */
const MAX_JOBS_AT_ONCE = 500;

/** What changes of a job while somebody watches it. */
const PROGRESS = {
  id: true,
  status: true,
  startedAt: true,
  nextAttemptAt: true,
  _count: { select: { images: { where: { role: 'PARTIAL' } } } },
} satisfies Prisma.EditJobSelect;

type Progress = Prisma.EditJobGetPayload<{ select: typeof PROGRESS }>;

/**
 * Edits as they go on, on whatever process they run. All subscribers share one line of events;
 * when it was cut, they are told what they missed. The same state may be told twice, never an
 * older one after a newer.
 */
export interface EditSubscriptions {
  /**
   * First the state as it is, then each change and picture on the way; ends when the job is final.
   * @throws NotFoundError; UnavailableError while the service stops.
   */
  toJob(viewer: Viewer, id: string): Promise<EditNewsStream>;
  /**
   * First the viewer's jobs that are not final, then each change of any; does not end. Only those
   * that are as `filter` says at that time; but each deletion, as what was deleted cannot be looked at.
   */
  toAll(viewer: Viewer, filter: HistoryFilter): Promise<EditNewsStream>;
  /** Ends all of them with an UnavailableError, so that they subscribe elsewhere. Idempotent. */
  stop(): Promise<void>;
}

interface JobWatch {
  readonly queue: NewsQueue;
  /** As last read; null once changed since. */
  progress: string | null;
  partials: number;
}

export function createEditSubscriptions(options: {
  prisma: PrismaClient;
  history: Pick<History, 'pages' | 'matches'>;
  events: Events;
  log: Log;
}): EditSubscriptions {
  const { prisma, history, events, log } = options;
  const watchesOf = new Map<string, Set<JobWatch>>();
  const queuesOf = new Map<string, Set<NewsQueue>>();
  const stopping = new AbortController();
  let heardAtMs = Date.now();
  let catchingUp = Promise.resolve();
  let subscribers = 0;

  const unsubscribe = events.subscribe((event) => {
    if (event.kind === 'missed') {
      // The clock may have been set back since.
      const since = new Date(Math.min(heardAtMs, Date.now()) - CATCH_UP_MARGIN_MS);
      catchingUp = catchingUp.then(() => catchUp(since));
    } else if (event.kind === 'edit') tell(event);
    heardAtMs = Date.now();
  });

  function tell(event: Extract<ServiceEvent, { kind: 'edit' }>): void {
    const { jobId, ownerId, final, partial, deleted = false } = event;
    const type = deleted ? 'DELETED' : partial === undefined ? 'CHANGED' : 'PARTIAL_IMAGE';
    const news = { type, jobId, partialImageIndex: partial ?? null } as const;
    for (const watch of watchesOf.get(jobId) ?? []) {
      if (partial === undefined) watch.progress = null;
      else watch.partials = Math.max(watch.partials, partial + 1);
      watch.queue.push(news);
      if (final) watch.queue.finish();
    }
    for (const queue of queuesOf.get(ownerId) ?? []) queue.push(news);
  }

  /** After the line was cut. Tries until it is done: nobody would say it again. */
  async function catchUp(since: Date): Promise<void> {
    while (watchesOf.size + queuesOf.size > 0 && !stopping.signal.aborted) {
      try {
        await catchUpJobs();
        return await catchUpOwners(since);
      } catch (error) {
        log.warn({ err: error }, 'cannot read what subscribers missed');
        await delay(CATCH_UP_RETRY_MS, undefined, { signal: stopping.signal }).catch(() => {});
      }
    }
  }

  async function catchUpJobs(): Promise<void> {
    const ids = [...watchesOf.keys()];
    if (ids.length === 0) return;
    const jobs = await ofAllOwners(prisma).editJob.findMany({
      where: { id: { in: ids } },
      select: PROGRESS,
    });
    for (const job of jobs) for (const watch of watchesOf.get(job.id) ?? []) bringUp(watch, job);
  }

  function bringUp(watch: JobWatch, job: Progress): void {
    const { id: jobId } = job;
    for (; watch.partials < job._count.images; watch.partials += 1) {
      watch.queue.push({ type: 'PARTIAL_IMAGE', jobId, partialImageIndex: watch.partials });
    }
    const progress = toText(job);
    if (watch.progress !== progress) {
      watch.queue.push({ type: 'CHANGED', jobId, partialImageIndex: null });
    }
    watch.progress = progress;
    if (isFinal(job.status)) watch.queue.finish();
  }

  async function catchUpOwners(since: Date): Promise<void> {
    for (const [ownerId, queues] of queuesOf) {
      const jobs = await openJobs(ownerId, { OR: [isOpen, { finishedAt: { gte: since } }] });
      const deleted = await prisma.editJob.findMany({
        where: { ...ownedBy(ownerId), deletedAt: { gte: since } },
        select: { id: true },
        take: MAX_JOBS_AT_ONCE,
      });
      for (const queue of queues) {
        for (const jobId of jobs) queue.push({ type: 'CHANGED', jobId, partialImageIndex: null });
        for (const { id: jobId } of deleted) {
          queue.push({ type: 'DELETED', jobId, partialImageIndex: null });
        }
      }
    }
  }

  /** The newest of them, oldest first. */
  async function openJobs(ownerId: string, where: Prisma.EditJobWhereInput): Promise<string[]> {
    const jobs = await prisma.editJob.findMany({
      where: { AND: [inHistory(viewerOf(ownerId)), where] },
      select: { id: true },
      orderBy: { id: 'desc' },
      take: MAX_JOBS_AT_ONCE,
    });
    return jobs.map(({ id }) => id).reverse();
  }

  function open<Watch>(
    all: Map<string, Set<Watch>>,
    key: string,
    toWatch: (queue: NewsQueue) => Watch,
  ): Watch {
    if (stopping.signal.aborted) throw stopped();
    const those = all.get(key) ?? new Set();
    const onEnd = () => {
      those.delete(watch);
      if (those.size === 0) all.delete(key);
      subscribers -= 1;
      log.debug({ subscribers }, 'subscription ended');
    };
    const watch = toWatch(createNewsQueue({ onEnd }));
    all.set(key, those.add(watch));
    subscribers += 1;
    log.debug({ subscribers }, 'subscription begun');
    return watch;
  }

  return {
    async toJob(viewer, id) {
      // Before the job is read, so that no change falls between.
      const watch = open(watchesOf, id, (news) => ({ queue: news, progress: null, partials: 0 }));
      const { queue } = watch;
      queue.push({ type: 'CURRENT', jobId: id, partialImageIndex: null });
      try {
        const job = await prisma.editJob.findFirst({
          where: { id, ...inHistory(viewer) },
          select: PROGRESS,
        });
        if (job === null) throw new NotFoundError('EditJob', id);
        watch.progress = toText(job);
        watch.partials = Math.max(watch.partials, job._count.images);
        if (isFinal(job.status)) queue.finish();
        return queue;
      } catch (error) {
        await queue.return();
        throw error;
      }
    },

    async toAll(viewer, filter) {
      const queue = open(queuesOf, visibleOwner(viewer), (news) => news);
      try {
        const status = (filter.status ?? Object.values(EditStatus)).filter((one) => !isFinal(one));
        const newest = await history.pages(viewer, { filter: { ...filter, status } }).next();
        const ids = [...(newest.value ?? [])].slice(0, MAX_JOBS_AT_ONCE).reverse();
        // Before what has changed while they were read.
        queue.begin(ids.map((jobId) => ({ type: 'CURRENT', jobId, partialImageIndex: null })));
      } catch (error) {
        await queue.return();
        throw error;
      }
      if (Object.values(filter).every((value) => value === null || value === undefined)) {
        return queue;
      }
      return onlyThose(queue, ({ jobId }) => history.matches(viewer, filter, jobId));
    },

    async stop() {
      unsubscribe();
      stopping.abort();
      for (const watches of watchesOf.values())
        for (const { queue } of watches) queue.fail(stopped());
      for (const queues of queuesOf.values()) for (const queue of queues) queue.fail(stopped());
      await catchingUp;
    },
  };
}

const isOpen = { status: { notIn: [...FINAL_STATUSES] } } satisfies Prisma.EditJobWhereInput;

function toText({ status, startedAt, nextAttemptAt }: Progress): string {
  return JSON.stringify([status, startedAt, nextAttemptAt]);
}

function stopped(): UnavailableError {
  return new UnavailableError('The service stops: subscribe again.', 1);
}
