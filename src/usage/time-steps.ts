import { offsetSpans } from './time-zone.ts';

/** Hours, days or months of local time. */
export type TimeUnit = 'HOUR' | 'DAY' | 'MONTH';

/** The part of a step within the requested span. */
export interface TimeStep {
  readonly from: Date;
  /** Exclusive. */
  readonly to: Date;
  /** `2026-10-25T02:00+01:00` for an hour, `2026-10-25` for a day, `2026-10` for a month. */
  readonly date: string;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Maximum number of steps by HOUR and by DAY; the span by MONTH may be as long as by DAY. */
const MAX_STEPS = 10_000;

/** Longest span, in milliseconds: 416 days by HOUR, 27 years by DAY and MONTH. */
export const MAX_SPAN_MS: Record<TimeUnit, number> = {
  HOUR: MAX_STEPS * HOUR_MS,
  DAY: MAX_STEPS * DAY_MS,
  MONTH: MAX_STEPS * DAY_MS,
};

/**
 * Divides a span into steps of local time without gaps. A day has 23 or 25 hours where clocks
 * change. An hour that occurs twice is two steps with different offsets. The first and last step
 * end with the span. Pure.
 * @param options.to must not be more than MAX_SPAN_MS after `from`.
 * @throws RangeError if the time zone does not exist.
 */
export function timeSteps(options: {
  unit: TimeUnit;
  from: Date;
  to: Date;
  timeZone: string;
}): TimeStep[] {
  const { unit, from, to, timeZone } = options;
  const steps: TimeStep[] = [];
  for (const { fromMs, toMs, offsetMs } of offsetSpans(timeZone, from.getTime(), to.getTime())) {
    for (let atMs = fromMs; atMs < toMs; ) {
      const endMs = Math.min(nextStart(unit, atMs + offsetMs) - offsetMs, toMs);
      const date = label(unit, atMs, offsetMs);
      const last = steps.at(-1);
      // The same day or month continues after a clock change.
      if (last?.date === date) steps[steps.length - 1] = { ...last, to: new Date(endMs) };
      else steps.push({ from: new Date(atMs), to: new Date(endMs), date });
      atMs = endMs;
    }
  }
  return steps;
}

/** Local times, as milliseconds of the UTC time that looks the same. */
function nextStart(unit: TimeUnit, localMs: number): number {
  if (unit === 'HOUR') return (Math.floor(localMs / HOUR_MS) + 1) * HOUR_MS;
  if (unit === 'DAY') return (Math.floor(localMs / DAY_MS) + 1) * DAY_MS;
  const month = new Date(localMs);
  month.setUTCHours(0, 0, 0, 0);
  return month.setUTCMonth(month.getUTCMonth() + 1, 1);
}

function label(unit: TimeUnit, atMs: number, offsetMs: number): string {
  const local = new Date(atMs + offsetMs).toISOString();
  const [date = ''] = local.split('T');
  if (unit === 'DAY') return date;
  if (unit === 'MONTH') return date.slice(0, -'-01'.length);
  return `${local.slice(0, date.length + 'T02'.length)}:00${offsetLabel(offsetMs)}`;
}

/** `+05:30`; drops the seconds of offsets from before standard time. */
function offsetLabel(offsetMs: number): string {
  const time = new Date(Math.abs(offsetMs)).toISOString();
  return `${offsetMs < 0 ? '-' : '+'}${time.slice(11, 16)}`;
}
