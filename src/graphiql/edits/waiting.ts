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
  /** When it is tried again; null: as soon as it is its turn. */
  readonly until: Date | null;
}

/** Why an edit waits, and until when; null: it does not wait. */
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
  if (until !== null) return { reason: 'No upstream is available for it right now.', until };
  return { reason: 'It waits for its turn: other edits are running.', until: null };
}

function byTime(one: Date, other: Date): number {
  return one.getTime() - other.getTime();
}

/** What a person must know about an edit whose cost is unknown; null: there is nothing. */
export function costWarning(edit: Edit): string | null {
  if (!edit.costUnresolved) return null;
  return 'The upstream may have processed and charged this edit. A retry may be paid a second time.';
}
