import { SubscriptionDroppedError } from '../../errors.ts';

/** What a subscriber receives: which job changed, and how. The subscriber reads the job itself. */
export interface EditEvent {
  /** `CURRENT`: the state at the start, sent first. `DELETED`: there is nothing left to read. */
  readonly type: 'CURRENT' | 'CHANGED' | 'PARTIAL_IMAGE' | 'DELETED';
  readonly jobId: string;
  /** Position of the partial image that arrived. */
  readonly partialImageIndex: number | null;
}

/** An Error is the last item of its stream: why it ends early. */
export type EditEventStream = AsyncIterableIterator<EditEvent | Error, undefined, undefined>;

/** The unread events of one subscriber, bounded in number and time. */
export interface EventQueue extends EditEventStream {
  /** Replaces an unread event of the same kind, except `CURRENT`. No-op after the end. */
  push(event: EditEvent): void;
  /** Puts events before all unread ones, in this order. Only while nothing reads the queue. */
  prepend(events: readonly EditEvent[]): void;
  /** Accepts no more events, and ends when the unread ones are read. */
  finish(): void;
  /** Drops unread events, and ends with this error. */
  fail(error: Error): void;
  return(): Promise<IteratorReturnResult<undefined>>;
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

export function createEventQueue(options: {
  /** Called once, when no more events are accepted. */
  onEnd: () => void;
  /** @default 1_000 */
  maxPending?: number;
  /** How long an event may stay unread. @default 30_000 // 30 seconds */
  maxWaitMs?: number;
}): EventQueue {
  const { onEnd, maxPending = 1_000, maxWaitMs = 30_000 } = options;
  const pending = new Map<string, EditEvent | Error>();
  const readers: ((result: IteratorResult<EditEvent | Error, undefined>) => void)[] = [];
  let isOpen = true;
  let timer: NodeJS.Timeout | undefined;

  function end(): void {
    if (!isOpen) return;
    isOpen = false;
    onEnd();
  }

  function drop(): void {
    fail(new SubscriptionDroppedError(pending.size));
  }

  function close(): void {
    end();
    clearTimeout(timer);
    pending.clear();
    for (const read of readers.splice(0)) read(DONE);
  }

  function fail(error: Error): void {
    const reader = readers.shift();
    close();
    if (reader) reader({ done: false, value: error });
    else pending.set('error', error);
  }

  return {
    push(event) {
      if (!isOpen) return;
      const reader = readers.shift();
      if (reader) return reader({ done: false, value: event });
      const key = keyOf(event);
      // To the end of the queue: the end of a job comes after its partial images.
      pending.delete(key);
      pending.set(key, event);
      if (pending.size > maxPending) return drop();
      timer ??= setTimeout(drop, maxWaitMs);
    },
    prepend(events) {
      if (!isOpen) return;
      const unread = [...pending];
      pending.clear();
      for (const event of events) pending.set(keyOf(event), event);
      for (const [key, event] of unread) pending.set(key, event);
      if (pending.size > 0) timer ??= setTimeout(drop, maxWaitMs);
    },
    finish() {
      end();
      if (pending.size === 0) close();
    },
    fail,
    async next() {
      clearTimeout(timer);
      timer = undefined;
      const [first] = pending;
      if (first === undefined) {
        return isOpen ? new Promise((resolve) => readers.push(resolve)) : DONE;
      }
      const [key, value] = first;
      pending.delete(key);
      if (pending.size > 0) timer = setTimeout(drop, maxWaitMs);
      return { done: false, value };
    },
    async return() {
      close();
      return DONE;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** Events with equal keys replace each other. `CURRENT` has its own: it stays first. */
function keyOf({ type, jobId, partialImageIndex }: EditEvent): string {
  return `${jobId} ${type === 'CURRENT' ? type : partialImageIndex}`;
}

/**
 * The events of a queue that match when they are read, and all deletions. If `matches` rejects, its
 * error ends the stream.
 */
export function filterEvents(
  queue: EventQueue,
  matches: (event: EditEvent) => Promise<boolean>,
): EditEventStream {
  return {
    async next() {
      for (;;) {
        const result = await queue.next();
        if (result.done || result.value instanceof Error) return result;
        try {
          const { type } = result.value;
          if (type === 'DELETED' || (await matches(result.value))) return result;
        } catch (error) {
          queue.fail(error instanceof Error ? error : new Error(String(error)));
        }
      }
    },
    return: () => queue.return(),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
