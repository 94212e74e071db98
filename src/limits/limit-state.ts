import { formatDecimal, USD_FRACTION_DIGITS } from '../models/decimal.ts';
import { type LimitWindow, windowEnd, windowStart } from './limit-window.ts';

/** What a limit counts. */
export const LIMIT_MEASURES = [
  'COST',
  'TOKENS',
  'EDITS',
  'IMAGES',
  'CONCURRENT_EDITS',
  'REQUESTS',
] as const;

export type LimitMeasure = (typeof LIMIT_MEASURES)[number];

/** What edits use. */
export type EditMeasure = Exclude<LimitMeasure, 'REQUESTS'>;

/** A limit as stored. */
export interface LimitRow {
  readonly id: string;
  readonly subject: 'OWNER' | 'API_KEY' | 'METADATA';
  readonly ownerId: string | null;
  readonly apiKeyId: string | null;
  readonly metadataKey: string | null;
  readonly metadataValue: string | null;
  readonly measure: LimitMeasure;
  readonly window: LimitWindow;
  readonly timeZone: string;
  readonly amount: bigint;
  readonly windowStart: Date;
  readonly settled: bigint;
  readonly reserved: bigint;
  readonly createdAt: Date;
}

/** A limit at a point in time. Amounts are in the smallest unit of its measure. */
export interface LimitState extends LimitRow {
  /** Settled plus reserved. */
  readonly used: bigint;
  /** Never below 0. */
  readonly remaining: bigint;
  /** Amount used above the limit. Never below 0. */
  readonly exceededBy: bigint;
  /** Null if it never resets. */
  readonly resetsAt: Date | null;
}

/** Ignores a window that is over at `now`, even if nothing has been written since. */
export function limitState(row: LimitRow, now: Date): LimitState {
  const { window, timeZone, amount } = row;
  const current = windowStart(window, timeZone, now);
  const isOver = row.windowStart < current;
  const start = isOver ? current : row.windowStart;
  const settled = isOver ? 0n : row.settled;
  const reserved = isOver ? 0n : row.reserved;
  const used = settled + reserved;
  const left = amount - used;
  return {
    ...row,
    windowStart: start,
    settled,
    reserved,
    used,
    remaining: left > 0n ? left : 0n,
    exceededBy: left < 0n ? -left : 0n,
    resetsAt: windowEnd(window, timeZone, start),
  };
}

/** Fraction digits of amounts of a measure: COST is in US dollars, everything else is a count. */
export function fractionDigits(measure: LimitMeasure): number {
  return measure === 'COST' ? USD_FRACTION_DIGITS : 0;
}

/** As a Decimal: US dollars for COST, a whole number for everything else. */
export function formatAmount(measure: LimitMeasure, amount: bigint): string {
  return formatDecimal(amount, fractionDigits(measure));
}
