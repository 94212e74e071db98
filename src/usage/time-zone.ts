/**
 * Time zones by Node's own data, not the database's, so that embedded and server databases agree.
 * Pure.
 */

/** A span in which the UTC offset is constant; the end is exclusive. In milliseconds. */
export interface OffsetSpan {
  readonly fromMs: number;
  readonly toMs: number;
  readonly offsetMs: number;
}

const DAY_MS = 86_400_000;

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
 * Divides a span where the zone's offset changes. Checks once a day, some 3 µs each, because no
 * zone changes its offset twice within one.
 * @throws RangeError if the time zone does not exist.
 */
export function offsetSpans(timeZone: string, fromMs: number, toMs: number): OffsetSpan[] {
  const offsetAt = offsetReader(timeZone);
  const spans: OffsetSpan[] = [];
  let start = fromMs;
  let offsetMs = offsetAt(fromMs);
  for (let seen = fromMs; seen < toMs - 1; ) {
    const next = Math.min(seen + DAY_MS, toMs - 1);
    const nextOffsetMs = offsetAt(next);
    if (nextOffsetMs !== offsetMs) {
      const change = firstOther(offsetAt, seen, next);
      spans.push({ fromMs: start, toMs: change, offsetMs });
      start = change;
      offsetMs = nextOffsetMs;
    }
    seen = next;
  }
  if (start < toMs) spans.push({ fromMs: start, toMs, offsetMs });
  return spans;
}

/** The first millisecond after `lowMs`, up to `highMs`, with another offset than `lowMs`. */
function firstOther(offsetAt: (ms: number) => number, lowMs: number, highMs: number): number {
  const before = offsetAt(lowMs);
  let low = lowMs;
  let high = highMs;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(middle) === before) low = middle;
    else high = middle;
  }
  return high;
}

/** Parses `GMT+05:30`, or `GMT+00:53:28` from before standard time. */
function offsetReader(timeZone: string): (ms: number) => number {
  const format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' });
  return (ms) => {
    const match = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(format.format(ms));
    if (match === null) throw new Error(`the offset of ${timeZone} cannot be read`);
    const [, sign, hours = 0, minutes = 0, seconds = 0] = match;
    const size = (Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds)) * 1_000;
    return sign === '-' ? -size : size;
  };
}
