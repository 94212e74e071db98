import { expect, test } from 'vitest';
import { createCachedSamples } from '../../src/telemetry/cached-samples.ts';
import { type Sample, sample } from '../../src/telemetry/metrics.ts';

const SAMPLES = [sample('retouch_unknown_outcomes', {}, 3)];

function counted(read: (count: number) => Promise<readonly Sample[]>, times: object = {}) {
  const errors: unknown[] = [];
  let reads = 0;
  const samples = createCachedSamples({
    read: () => read(++reads),
    onError: (error) => errors.push(error),
    ...times,
  });
  return { samples, errors, reads: () => reads };
}

test('many scrapes cost one read', async () => {
  const { samples, reads } = counted(async () => SAMPLES);
  const all = await Promise.all(Array.from({ length: 50 }, samples));
  expect(new Set(all)).toEqual(new Set([SAMPLES]));
  await samples();
  expect(reads()).toBe(1);
});

test('a read is repeated when its result is too old', async () => {
  const { samples, reads } = counted(async () => SAMPLES, { maxAgeMs: 0 });
  await samples();
  await samples();
  expect(reads()).toBe(2);
});

test('a failed read gives nothing, is reported once, and is not repeated at once', async () => {
  const { samples, errors, reads } = counted(() => Promise.reject(new Error('away')));
  expect(await samples()).toBeNull();
  expect(await samples()).toBeNull();
  expect(errors).toEqual([new Error('away')]);
  expect(reads()).toBe(1);
});

test('a read that takes too long gives nothing, and its result to the next scrape', async () => {
  const { promise, resolve } = Promise.withResolvers<typeof SAMPLES>();
  const { samples, reads } = counted(() => promise, { timeoutMs: 1 });
  expect(await samples()).toBeNull();
  expect(await samples()).toBeNull();
  expect(reads()).toBe(1);
  resolve(SAMPLES);
  await promise;
  expect(await samples()).toBe(SAMPLES);
  expect(reads()).toBe(1);
});

test('a read that hangs is given up for a new one, and its late result ignored', async () => {
  const { promise, resolve } = Promise.withResolvers<readonly Sample[]>();
  const { samples, reads } = counted((n) => (n === 1 ? promise : Promise.resolve(SAMPLES)), {
    timeoutMs: 1,
    abandonMs: -1,
  });
  expect(await samples()).toBeNull();
  expect(await samples()).toBe(SAMPLES);
  resolve([]);
  await promise;
  expect(await samples()).toBe(SAMPLES);
  expect(reads()).toBe(2);
});
