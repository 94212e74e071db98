import { expect, test } from 'vitest';
import { createFairQueue } from '../../../src/images/thumbnails/fair-queue.ts';

test('an owner waits for one piece of each other owner, however many those have', async () => {
  const queue = createFairQueue();
  const done: string[] = [];
  const work = (name: string) => async () => void done.push(name);
  const gate = Promise.withResolvers<void>();
  const all = [queue.run('a', () => gate.promise)];
  for (const name of ['a1', 'a2', 'a3', 'a4']) all.push(queue.run('a', work(name)));
  for (const name of ['b1', 'b2']) all.push(queue.run('b', work(name)));
  all.push(queue.run('c', work('c1')));
  expect([queue.waiting, queue.waitingOf('a'), queue.waitingOf('c')]).toEqual([7, 4, 1]);
  gate.resolve();
  await Promise.all(all);
  expect(done).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4']);
  expect(queue.waiting).toBe(0);
});

test('a piece runs alone, and one that fails stops no other', async () => {
  const queue = createFairQueue();
  let running = 0;
  const piece = async () => {
    running += 1;
    expect(running).toBe(1);
    await Promise.resolve();
    running -= 1;
    return 'done';
  };
  const failed = queue.run('a', () => Promise.reject(new Error('broken')));
  const others = Promise.all([queue.run('a', piece), queue.run('b', piece)]);
  await expect(failed).rejects.toThrow('broken');
  expect(await others).toEqual(['done', 'done']);
  expect(await queue.run('a', piece)).toBe('done');
});
