import { Temporal } from 'temporal-polyfill';

/** The windows over which a limit counts, by local time of its time zone. TOTAL never ends. */
export const LIMIT_WINDOWS = ['MINUTE', 'HOUR', 'DAY', 'MONTH', 'TOTAL'] as const;

export type LimitWindow = (typeof LIMIT_WINDOWS)[number];

/** Of the window TOTAL. */
const BEGINNING = new Date(0);

/** Start of the window that contains the time, inclusive. */
export function windowStart(window: LimitWindow, timeZone: string, at: Date): Date {
  if (window === 'TOTAL') return BEGINNING;
  const local = Temporal.Instant.fromEpochMilliseconds(at.getTime()).toZonedDateTimeISO(timeZone);
  return toDate(startOf(window, local));
}

/** End of the window that begins at `start`, exclusive; null if it never ends. */
export function windowEnd(window: LimitWindow, timeZone: string, start: Date): Date | null {
  if (window === 'TOTAL') return null;
  const local = Temporal.Instant.fromEpochMilliseconds(start.getTime()).toZonedDateTimeISO(
    timeZone,
  );
  switch (window) {
    case 'MINUTE':
      return toDate(local.add({ minutes: 1 }));
    case 'HOUR':
      return toDate(local.add({ hours: 1 }));
    case 'DAY':
      return toDate(startOf('DAY', local.add({ days: 1 })));
    case 'MONTH':
      return toDate(startOf('MONTH', local.add({ months: 1 })));
  }
}

function startOf(
  window: Exclude<LimitWindow, 'TOTAL'>,
  local: Temporal.ZonedDateTime,
): Temporal.ZonedDateTime {
  switch (window) {
    case 'MINUTE':
      return local.round({ smallestUnit: 'minute', roundingMode: 'floor' });
    case 'HOUR':
      return local.round({ smallestUnit: 'hour', roundingMode: 'floor' });
    case 'DAY':
      return local.startOfDay();
    case 'MONTH':
      return local.with({ day: 1 }).startOfDay();
  }
}

function toDate({ epochMilliseconds }: Temporal.ZonedDateTime): Date {
  return new Date(epochMilliseconds);
}
