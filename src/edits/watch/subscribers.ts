import { UnavailableError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { ServiceEvent } from '../../queue/events.ts';
import { createEventQueue, type EditEvent, type EventQueue } from './event-queue.ts';

/** A subscriber to one job. */
export interface JobSubscriber {
  readonly queue: EventQueue;
  /** The job's progress when it was last read; null if it has changed since. */
  progress: string | null;
  /** How many partial images it knows of. */
  partials: number;
}

/** The subscribers of this process. */
export interface Subscribers {
  readonly ofJobs: ReadonlyMap<string, ReadonlySet<JobSubscriber>>;
  readonly ofOwners: ReadonlyMap<string, ReadonlySet<EventQueue>>;
  /** Until its queue ends. @throws UnavailableError after `stop`. */
  addToJob(jobId: string): JobSubscriber;
  /** Until its queue ends. @throws UnavailableError after `stop`. */
  addToOwner(ownerId: string): EventQueue;
  /** Pushes an event to all subscribers of its job and its owner. */
  push(event: Extract<ServiceEvent, { kind: 'edit' }>): void;
  /** Ends all of them with an UnavailableError. */
  stop(): void;
}

export function createSubscribers({ log }: { log: Log }): Subscribers {
  const ofJobs = new Map<string, Set<JobSubscriber>>();
  const ofOwners = new Map<string, Set<EventQueue>>();
  let isStopped = false;
  let count = 0;

  function add<Subscriber>(
    all: Map<string, Set<Subscriber>>,
    key: string,
    toSubscriber: (queue: EventQueue) => Subscriber,
  ): Subscriber {
    if (isStopped) throw stopped();
    const those = all.get(key) ?? new Set();
    const onEnd = () => {
      those.delete(subscriber);
      if (those.size === 0) all.delete(key);
      count -= 1;
      log.debug({ subscribers: count }, 'subscription ended');
    };
    const subscriber = toSubscriber(createEventQueue({ onEnd }));
    all.set(key, those.add(subscriber));
    count += 1;
    log.debug({ subscribers: count }, 'subscription started');
    return subscriber;
  }

  return {
    ofJobs,
    ofOwners,
    addToJob: (jobId) => add(ofJobs, jobId, (queue) => ({ queue, progress: null, partials: 0 })),
    addToOwner: (ownerId) => add(ofOwners, ownerId, (queue) => queue),
    push({ jobId, ownerId, final, partial, deleted = false }) {
      const type = deleted ? 'DELETED' : partial === undefined ? 'CHANGED' : 'PARTIAL_IMAGE';
      const event: EditEvent = { type, jobId, partialImageIndex: partial ?? null };
      for (const subscriber of ofJobs.get(jobId) ?? []) {
        if (partial === undefined) subscriber.progress = null;
        else subscriber.partials = Math.max(subscriber.partials, partial + 1);
        subscriber.queue.push(event);
        if (final) subscriber.queue.finish();
      }
      for (const queue of ofOwners.get(ownerId) ?? []) queue.push(event);
    },
    stop() {
      isStopped = true;
      const ofEachJob = [...ofJobs.values()].flatMap((those) => [...those]);
      const ofEachOwner = [...ofOwners.values()].flatMap((those) => [...those]);
      for (const queue of [...ofEachJob.map(({ queue }) => queue), ...ofEachOwner]) {
        queue.fail(stopped());
      }
    },
  };
}

function stopped(): UnavailableError {
  return new UnavailableError('The service is shutting down: subscribe again.', 1);
}
