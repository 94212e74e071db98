import { expect, test } from 'vitest';
import { nextAttemptAt, RETRY_DELAYS_MS } from '../../src/webhooks/retry-schedule.ts';

const NOW = new Date(0);
const HOUR_MS = 60 * 60 * 1_000;
const next = (failures: number, retryAfterSeconds: number | null = null, random = 0) =>
  nextAttemptAt(RETRY_DELAYS_MS, { failures, retryAfterSeconds }, NOW, () => random)?.getTime();

test('tries ten times, over at least 24 hours even without jitter', () => {
  const waits = RETRY_DELAYS_MS.map((_, i) => next(i + 1) ?? 0);
  expect(waits).toEqual(RETRY_DELAYS_MS);
  expect(waits.reduce((sum, ms) => sum + ms)).toBeGreaterThan(24 * HOUR_MS);
  expect(next(10)).toBeUndefined();
});

test('waits longer by up to a fifth, so that messages that failed together part', () => {
  expect(next(1, null, 0.5)).toBe(5_500);
  expect(next(1, null, 1)).toBe(6_000);
});

test('never comes back before Retry-After, nor later than a day and a fifth for it', () => {
  expect(next(1, 120)).toBe(120_000);
  expect(next(3, 1)).toBe(120_000);
  expect(next(1, 999_999_999)).toBe(24 * HOUR_MS);
});
