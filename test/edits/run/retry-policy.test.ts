import { describe, expect, it } from 'vitest';
import { countAttempts, nextAttemptAt } from '../../../src/edits/run/retry-policy.ts';

const NOW = new Date('2026-03-14T12:00:00Z');
const POLICY = { maxAttempts: 3, maxAgeMs: 24 * 60 * 60_000 };
const FAILED = { attempts: 1, createdAt: NOW, retryAfterSeconds: null, pausedUntil: null };

const waitOf = (job: object = {}, random = 1) => {
  const at = nextAttemptAt(POLICY, { ...FAILED, ...job }, NOW, () => random);
  return at && at.getTime() - NOW.getTime();
};

describe('an edit that was surely not processed', () => {
  it('waits twice as long each time, and is given up when its attempts are used up', () => {
    expect([1, 2, 3].map((attempts) => waitOf({ attempts }))).toEqual([2_000, 4_000, null]);
    expect(waitOf({ attempts: 1 }, 0)).toBe(1_000);
  });

  it('is not sent before the pause of its upstream ends', () => {
    const pausedUntil = new Date(NOW.getTime() + 90_000);
    expect(waitOf({ attempts: 0, pausedUntil })).toBe(90_000);
    expect(waitOf({ attempts: 0, pausedUntil: new Date(0) })).toBe(2_000);
  });

  it('is given up when it would be older than a day', () => {
    const createdAt = new Date(NOW.getTime() - POLICY.maxAgeMs + 1_000);
    expect(waitOf({ createdAt, attempts: 0 })).toBeNull();
  });

  it('uses up no attempt by a rate limit', () => {
    expect(countAttempts(['RATE_LIMITED', 'RATE_LIMITED', 'SERVER_ERROR', 'RATE_LIMITED'])).toBe(1);
    expect(countAttempts(['UNREACHABLE', null, 'A_CODE_OF_OLD'])).toBe(3);
  });
});
