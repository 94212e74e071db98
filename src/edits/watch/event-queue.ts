import { SubscriptionDroppedError } from '../../errors.ts';

/** What a subscriber is told: which job, and what of it is new. Who cares reads the job. */
export interface EditNews {
  /** `CURRENT`: the state as it is, told first. `DELETED`: there is nothing to read any more. */
  readonly type: 'CURRENT' | 'CHANGED' | 'PARTIAL_IMAGE' | 'DELETED';
  readonly jobId: string;
  /** Position of the picture on the way that has come. */
  readonly partialImageIndex: number | null;
}

/** An Error is the last of its stream: why it ends before its time. */
export type EditNewsStream = AsyncIterableIterator<EditNews | Error, undefined, undefined>;

/** News for one subscriber, kept until they are read: bounded in number and time. */
export interface NewsQueue extends EditNewsStream {
  /** Older news of the same that still wait are replaced, but for the first. A no-op after the end. */
  push(news: EditNews): void;
  /** News to be read before all that wait already, in this order; for a queue that nobody reads yet. */
  begin(news: readonly EditNews[]): void;
  /** Takes no more, and ends when what waits is read. */
  finish(): void;
  /** Drops what waits, and ends with this error. */
  fail(error: Error): void;
  return(): Promise<IteratorReturnResult<undefined>>;
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

export function createNewsQueue(options: {
  /** Told once, when no more news are taken. */
  onEnd: () => void;
  /** @default 1_000 */
  maxPending?: number;
  /** How long news may wait for a reader that does not come. @default 30_000 // 30 seconds */
  maxWaitMs?: number;
}): NewsQueue {
  const { onEnd, maxPending = 1_000, maxWaitMs = 30_000 } = options;
  const pending = new Map<string, EditNews | Error>();
  const readers: ((result: IteratorResult<EditNews | Error, undefined>) => void)[] = [];
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
    push(news) {
      if (!isOpen) return;
      const reader = readers.shift();
      if (reader) return reader({ done: false, value: news });
      const key = keyOf(news);
      // To the end of the queue: a job's end comes after its pictures.
      pending.delete(key);
      pending.set(key, news);
      if (pending.size > maxPending) return drop();
      timer ??= setTimeout(drop, maxWaitMs);
    },
    begin(news) {
      if (!isOpen) return;
      const waiting = [...pending];
      pending.clear();
      for (const one of news) pending.set(keyOf(one), one);
      for (const [key, one] of waiting) pending.set(key, one);
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

/** What news replace. The state that a subscription begins with stays: it comes first. */
function keyOf({ type, jobId, partialImageIndex }: EditNews): string {
  return `${jobId} ${type === 'CURRENT' ? type : partialImageIndex}`;
}

/** Those of a queue that match when they are read, and all deletions. A failure to look ends the stream, as its last. */
export function onlyThose(
  queue: NewsQueue,
  matches: (news: EditNews) => Promise<boolean>,
): EditNewsStream {
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
