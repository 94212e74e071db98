import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createSharedReads } from '../../src/schema/shared-reads.ts';

/** As Prisma's promises: each `then` asks anew. */
function lazily<T>(ask: () => T): Promise<T> {
  const lazy = {
    // biome-ignore lint/suspicious/noThenProperty: that is what is imitated.
    then: (...args: Parameters<Promise<T>['then']>) => Promise.resolve(ask()).then(...args),
  };
  return lazy as unknown as Promise<T>;
}

test('those who ask the same at once are answered by one read', async () => {
  const { once } = createSharedReads();
  let reads = 0;
  const ask = (key: string) => once(key, () => lazily(() => `${key} ${++reads}`));
  const first = ask('a');
  await Promise.resolve();
  expect(await Promise.all([first, ask('a'), ask('b'), ask('a')])).toEqual([
    'a 1',
    'a 1',
    'b 2',
    'a 1',
  ]);
  expect(reads).toBe(2);
});

test('who asks later reads anew, also while the first read goes on', async () => {
  const { once } = createSharedReads();
  const pending = Promise.withResolvers<string>();
  const first = once('a', () => pending.promise);
  await nextTurn();
  expect(await once('a', async () => 'new')).toBe('new');
  pending.resolve('old');
  expect(await first).toBe('old');
});

test('a read that fails fails for those who asked at once, and for nobody after', async () => {
  const { once } = createSharedReads();
  const fail = () => Promise.reject(new Error('no'));
  const both = [once('a', fail), once('a', async () => 'unasked')];
  expect((await Promise.allSettled(both)).map(({ status }) => status)).toEqual([
    'rejected',
    'rejected',
  ]);
  await nextTurn();
  expect(await once('a', async () => 'new')).toBe('new');
});
