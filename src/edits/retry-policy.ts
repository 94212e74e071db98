/** When an edit that was surely not processed is sent again. */
export interface RetryPolicy {
  /** POSTs of one job in all. */
  readonly maxAttempts: number;
  /** From the job's creation to its last attempt, in milliseconds. */
  readonly maxAgeMs: number;
}

const FIRST_DELAY_MS = 2_000;
const MAX_DELAY_MS = 5 * 60_000;

/**
 * Exponential backoff with full jitter in its upper half, never sooner than `Retry-After`. Null:
 * no more attempt, since tries or time are used up.
 */
export function nextAttemptAt(
  policy: RetryPolicy,
  job: {
    /** Attempts made, the failed one included. */
    attempts: number;
    createdAt: Date;
    retryAfterSeconds: number | null;
  },
  now: Date,
  random: () => number = Math.random,
): Date | null {
  if (job.attempts >= policy.maxAttempts) return null;
  const backoffMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (job.attempts - 1));
  const delayMs = Math.max(
    backoffMs * (0.5 + random() / 2),
    // Rounded up: the API's clock may be a little behind ours.
    (job.retryAfterSeconds ?? 0) * 1_000,
  );
  const at = new Date(now.getTime() + Math.ceil(delayMs));
  return at.getTime() - job.createdAt.getTime() > policy.maxAgeMs ? null : at;
}
