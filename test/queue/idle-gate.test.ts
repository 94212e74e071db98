import { expect, it } from 'vitest';
import { createIdleGate } from '../../src/queue/idle-gate.ts';

const never = new AbortController().signal;

it('lets work that can wait begin at once when nothing else runs', async () => {
  await createIdleGate().wait(never);
});

it('holds work that can wait back until what somebody waits for has ended', async () => {
  const idleGate = createIdleGate({ quietMs: 1, maxBusyMs: 60_000 });
  const order: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const busy = idleGate.busyWith(() => promise).then(() => order.push('busy'));
  const waiting = idleGate.wait(never).then(() => order.push('waiting'));
  resolve();
  await Promise.all([busy, waiting]);
  expect(order).toEqual(['busy', 'waiting']);
});

it('does not hold it back for ever', async () => {
  const idleGate = createIdleGate({ quietMs: 1, maxBusyMs: 10 });
  const { promise, resolve } = Promise.withResolvers<void>();
  const busy = idleGate.busyWith(() => promise);
  await idleGate.wait(never);
  resolve();
  await busy;
});

it('ends the wait when it is aborted', async () => {
  const idleGate = createIdleGate({ quietMs: 60_000, maxBusyMs: 60_000 });
  await idleGate.busyWith(async () => {
    await idleGate.wait(AbortSignal.abort());
  });
});

it('hands on what the work answers, and throws', async () => {
  const idleGate = createIdleGate();
  expect(await idleGate.busyWith(async () => 1)).toBe(1);
  await expect(idleGate.busyWith(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
});
