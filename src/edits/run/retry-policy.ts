import { EDIT_ERRORS, isEditErrorCode } from '../../edits-api/edit-error-codes.ts';

/** When an edit that was certainly not processed is sent again. */
export interface RetryPolicy {
  /** Maximum POSTs of one job, not counting those that met a rate limit. */
  readonly maxAttempts: number;
  /** Maximum age of a job at its last attempt. */
  readonly maxAgeMs: number;
}

const FIRST_DELAY_MS = 2_000;
const MAX_DELAY_MS = 5 * 60_000;

/** How many of the attempts that ended with these codes count: a rate limit uses up none. */
export function countAttempts(errorCodes: readonly (string | null)[]): number {
  return errorCodes.filter((code) => !isEditErrorCode(code) || EDIT_ERRORS[code].usesAttempt)
    .length;
}

/**
 * Exponential backoff with full jitter in its upper half, never earlier than `Retry-After` or the end
 * of the upstream's pause. Null for no further attempt: attempts or time are used up.
 */
export function nextAttemptAt(
  policy: RetryPolicy,
  job: {
    /** Attempts that count, including the failed one. */
    attempts: number;
    createdAt: Date;
    retryAfterSeconds: number | null;
    /** When the upstream gets calls again; null if it is not paused. */
    pausedUntil: Date | null;
  },
  now: Date,
  random: () => number = Math.random,
): Date | null {
  if (job.attempts >= policy.maxAttempts) return null;
  const backoffMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.max(0, job.attempts - 1));
  const delayMs = Math.max(
    backoffMs * (0.5 + random() / 2),
    // Rounded up, as the upstream's clock may be a little behind.
    (job.retryAfterSeconds ?? 0) * 1_000,
    (job.pausedUntil?.getTime() ?? 0) - now.getTime(),
  );
  const at = new Date(now.getTime() + Math.ceil(delayMs));
  return at.getTime() - job.createdAt.getTime() > policy.maxAgeMs ? null : at;
}
