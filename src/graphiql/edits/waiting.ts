import type { Edit } from './edit.ts';

/** An upstream, as far as edits wait for it. */
export interface Upstream {
  readonly name: string;
  readonly state: string;
  readonly pausedUntil: string | null;
  readonly reason: string | null;
}

export interface Waiting {
  /** A sentence. */
  readonly reason: string;
  /** Time of the next attempt; null for as soon as possible. */
  readonly until: Date | null;
}

/** Why an edit waits, and until when; null if it does not wait. */
export function waitingOf(edit: Edit, upstreams: readonly Upstream[], now: Date): Waiting | null {
  if (edit.status !== 'QUEUED') return null;
  const next = edit.nextAttemptAt === null ? null : new Date(edit.nextAttemptAt);
  const until = next !== null && next > now ? next : null;
  const last = edit.attempts.at(-1);
  if (last?.errorMessage) {
    const code = last.errorCode === null ? '' : ` (${last.errorCode})`;
    return { reason: `Attempt ${last.number} failed${code}: ${last.errorMessage}`, until };
  }
  const paused = upstreams.filter(({ pausedUntil }) => pausedUntil !== null);
  if (paused.length > 0 && paused.length === upstreams.length) {
    const reasons = paused.map(({ name, reason }) => (reason ? `${name}: ${reason}` : name));
    const [first] = paused.map(({ pausedUntil }) => new Date(pausedUntil ?? now)).sort(byTime);
    return {
      reason: `No upstream is available. ${reasons.join(' ')}`,
      until: until ?? first ?? null,
    };
  }
  if (until !== null) return { reason: 'No upstream is available for this edit right now.', until };
  return { reason: 'Waiting for other edits to finish.', until: null };
}

function byTime(one: Date, other: Date): number {
  return one.getTime() - other.getTime();
}

/** A warning for an edit with unknown cost; null if there is none. */
export function costWarning(edit: Edit): string | null {
  if (!edit.costUnresolved) return null;
  return 'The upstream may have processed and billed this edit. A retry may be billed again.';
}
