/**
 * Time zones by Node's own data, not the database's: the embedded one and any server then have the
 * same days. Pure.
 */
import { Temporal } from 'temporal-polyfill';

/** A span in which the UTC offset is constant; the end is exclusive. In milliseconds. */
export interface OffsetSpan {
  readonly fromMs: number;
  readonly toMs: number;
  readonly offsetMs: number;
}

/** An IANA name, such as `Europe/Berlin`, or an offset, such as `+05:30`. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/**
 * Splits a span where the zone's offset changes.
 * @throws RangeError when there is no such time zone.
 */
export function offsetSpans(timeZone: string, fromMs: number, toMs: number): OffsetSpan[] {
  const spans: OffsetSpan[] = [];
  let start = Temporal.Instant.fromEpochMilliseconds(fromMs).toZonedDateTimeISO(timeZone);
  for (;;) {
    const { epochMilliseconds, offsetNanoseconds } = start;
    if (epochMilliseconds >= toMs) return spans;
    const next = start.getTimeZoneTransition('next');
    const endMs = Math.min(next?.epochMilliseconds ?? toMs, toMs);
    spans.push({ fromMs: epochMilliseconds, toMs: endMs, offsetMs: offsetNanoseconds / 1e6 });
    if (next === null) return spans;
    start = next;
  }
}
