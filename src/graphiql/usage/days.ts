/** Totals of a day's edits. */
export interface UsageDay {
  /** In UTC, such as `2026-11-22`. */
  readonly day: string;
  readonly edits: number;
  readonly totalTokens: number;
  /** US dollars, exact; includes the nominal cost of sandbox edits. */
  readonly cost: string;
}

const DAY_MS = 24 * 3_600_000;

/** The last `count` whole days in UTC, including today; `to` is exclusive. */
export function lastDays(count: number, now: Date): { from: Date; to: Date } {
  const today = Math.floor(now.getTime() / DAY_MS) * DAY_MS;
  return { from: new Date(today - (count - 1) * DAY_MS), to: new Date(today + DAY_MS) };
}

/** Every day of the span, in order; days without a bucket have no edits. */
export function everyDay(report: readonly UsageDay[], span: { from: Date; to: Date }): UsageDay[] {
  const known = new Map(report.map((day) => [day.day, day]));
  const days = Math.round((span.to.getTime() - span.from.getTime()) / DAY_MS);
  return Array.from({ length: days }, (_, index) => {
    const day = new Date(span.from.getTime() + index * DAY_MS).toISOString().slice(0, 10);
    return known.get(day) ?? { day, edits: 0, totalTokens: 0, cost: '0' };
  });
}
