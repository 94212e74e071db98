import { expect, it } from 'vitest';
import { createLull } from '../../src/queue/idle-gate.ts';

const never = new AbortController().signal;

it('lets work that can wait begin at once when nothing else runs', async () => {
  await createLull().wait(never);
});

it('holds work that can wait back until what somebody waits for has ended', async () => {
  const lull = createLull({ quietMs: 1, maxBusyMs: 60_000 });
  const order: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const busy = lull.busyWith(() => promise).then(() => order.push('busy'));
  const waiting = lull.wait(never).then(() => order.push('waiting'));
  resolve();
  await Promise.all([busy, waiting]);
  expect(order).toEqual(['busy', 'waiting']);
});

it('does not hold it back for ever', async () => {
  const lull = createLull({ quietMs: 1, maxBusyMs: 10 });
  const { promise, resolve } = Promise.withResolvers<void>();
  const busy = lull.busyWith(() => promise);
  await lull.wait(never);
  resolve();
  await busy;
});

it('ends the wait when it is aborted', async () => {
  const lull = createLull({ quietMs: 60_000, maxBusyMs: 60_000 });
  await lull.busyWith(async () => {
    await lull.wait(AbortSignal.abort());
  });
});

it('hands on what the work answers, and throws', async () => {
  const lull = createLull();
  expect(await lull.busyWith(async () => 1)).toBe(1);
  await expect(lull.busyWith(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
});
