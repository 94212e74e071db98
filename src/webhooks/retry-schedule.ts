const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** Delays after the first failure, the second …: ten attempts over at least 31 h 42 min. */
export const RETRY_DELAYS_MS: readonly number[] = [
  5 * SECOND_MS,
  30 * SECOND_MS,
  2 * MINUTE_MS,
  10 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
];

/** Maximum `Retry-After`, so that a receiver cannot delay a delivery forever. */
const MAX_RETRY_AFTER_MS = 24 * HOUR_MS;

/**
 * Maximum random share that is added to a delay, so that failed deliveries do not retry at the same
 * time.
 */
const JITTER = 0.2;

/**
 * When to retry a message; null if it was tried often enough.
 * @param failures since it was last requested, including the last one.
 */
export function nextAttemptAt(
  delaysMs: readonly number[],
  { failures, retryAfterSeconds }: { failures: number; retryAfterSeconds: number | null },
  now: Date,
  random: () => number = Math.random,
): Date | null {
  const delayMs = delaysMs[failures - 1];
  if (delayMs === undefined) return null;
  const askedMs = Math.min((retryAfterSeconds ?? 0) * SECOND_MS, MAX_RETRY_AFTER_MS);
  const waitMs = Math.max(delayMs, askedMs) * (1 + JITTER * random());
  return new Date(now.getTime() + Math.ceil(waitMs));
}
