import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  createEventQueue,
  type EditEvent,
  filterEvents,
} from '../../../src/edits/watch/event-queue.ts';
import { SubscriptionDroppedError } from '../../../src/errors.ts';
import { eventually } from '../../support/eventually.ts';

const changed = (jobId: string): EditEvent => ({ type: 'CHANGED', jobId, partialImageIndex: null });
const partial = (jobId: string, partialImageIndex: number): EditEvent => ({
  type: 'PARTIAL_IMAGE',
  jobId,
  partialImageIndex,
});

describe('the event queue', () => {
  it('hands an event to a waiting reader, and keeps it for a later one', async () => {
    const queue = createEventQueue({ onEnd: () => {} });
    const first = queue.next();
    queue.push(changed('a'));
    queue.push(partial('a', 0));
    expect((await first).value).toEqual(changed('a'));
    expect((await queue.next()).value).toEqual(partial('a', 0));
    await queue.return();
  });

  it('tells changes of one job as one, behind its images', async () => {
    const queue = createEventQueue({ onEnd: () => {} });
    for (const event of [changed('a'), changed('b'), partial('a', 0), changed('a')])
      queue.push(event);
    queue.finish();
    expect(await Array.fromAsync(queue)).toEqual([changed('b'), partial('a', 0), changed('a')]);
  });

  it('ends a reader that waits when it is left, and tells that once', async () => {
    const onEnd = vi.fn();
    const queue = createEventQueue({ onEnd });
    const waiting = queue.next();
    await queue.return();
    await queue.return();
    queue.push(changed('a'));
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(await queue.next()).toEqual({ done: true, value: undefined });
    expect(onEnd).toHaveBeenCalledTimes(1);
  });

  it('drops a reader that leaves more unread than it may', async () => {
    const onEnd = vi.fn();
    const queue = createEventQueue({ onEnd, maxPending: 2 });
    for (const job of ['a', 'b', 'a', 'c', 'd']) queue.push(changed(job));
    expect(onEnd).toHaveBeenCalledTimes(1);
    expect(await Array.fromAsync(queue)).toEqual([expect.any(SubscriptionDroppedError)]);
  });

  it('drops a reader that does not come back for its events', async () => {
    const onEnd = vi.fn();
    const queue = createEventQueue({ onEnd, maxWaitMs: 20 });
    queue.push(changed('a'));
    queue.push(changed('b'));
    await queue.next();
    await eventually(() => expect(onEnd).toHaveBeenCalled());
    expect(await Array.fromAsync(queue)).toEqual([expect.any(SubscriptionDroppedError)]);
  });

  it('does not drop a reader that waits for an event', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const queue = createEventQueue({ onEnd: () => {} });
    queue.push(changed('a'));
    await queue.next();
    const waiting = queue.next();
    vi.advanceTimersByTime(3_600_000);
    queue.push(changed('b'));
    expect((await waiting).value).toEqual(changed('b'));
    await queue.return();
  });

  it('says its failure last', async () => {
    const queue = createEventQueue({ onEnd: () => {} });
    const waiting = queue.next();
    queue.fail(new Error('away'));
    expect((await waiting).value).toEqual(new Error('away'));
    expect((await queue.next()).done).toBe(true);
  });

  it('lets only those through that match when they are read, and says when it cannot tell', async () => {
    const queue = createEventQueue({ onEnd: () => {} });
    const some = filterEvents(queue, async ({ jobId }) => {
      if (jobId === 'broken') throw new Error('away');
      return jobId !== 'other';
    });
    for (const job of ['a', 'other', 'b', 'broken', 'c']) queue.push(changed(job));
    expect(await Array.fromAsync(some)).toEqual([changed('a'), changed('b'), new Error('away')]);
  });
});
