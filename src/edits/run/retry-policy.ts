import { EDIT_ERRORS, isEditErrorCode } from '../../edits-api/edit-error-codes.ts';

/** When an edit that was surely not processed is sent again. */
export interface RetryPolicy {
  /** POSTs of one job in all, without those that met a rate limit. */
  readonly maxAttempts: number;
  /** From the job's creation to its last attempt, in milliseconds. */
  readonly maxAgeMs: number;
}

const FIRST_DELAY_MS = 2_000;
const MAX_DELAY_MS = 5 * 60_000;

/** How many of the attempts that ended so count: a rate limit uses up none. */
export function countAttempts(errorCodes: readonly (string | null)[]): number {
  return errorCodes.filter((code) => !isEditErrorCode(code) || EDIT_ERRORS[code].usesAttempt)
    .length;
}

/**
 * Exponential backoff with full jitter in its upper half, never sooner than `Retry-After` and the end
 * of the upstream's pause. Null: no more attempt, since tries or time are used up.
 */
export function nextAttemptAt(
  policy: RetryPolicy,
  job: {
    /** Attempts that count, the failed one included. */
    attempts: number;
    createdAt: Date;
    retryAfterSeconds: number | null;
    /** When the upstream gets calls again; null: it is not paused. */
    pausedUntil: Date | null;
  },
  now: Date,
  random: () => number = Math.random,
): Date | null {
  if (job.attempts >= policy.maxAttempts) return null;
  const backoffMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.max(0, job.attempts - 1));
  const delayMs = Math.max(
    backoffMs * (0.5 + random() / 2),
    // Rounded up: the API's clock may be a little behind ours.
    (job.retryAfterSeconds ?? 0) * 1_000,
    (job.pausedUntil?.getTime() ?? 0) - now.getTime(),
  );
  const at = new Date(now.getTime() + Math.ceil(delayMs));
  return at.getTime() - job.createdAt.getTime() > policy.maxAgeMs ? null : at;
}
