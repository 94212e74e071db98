/** How long what was spent counts. Days and months are those of UTC; TOTAL never ends. */
export const BUDGET_PERIODS = ['DAY', 'MONTH', 'TOTAL'] as const;

export type BudgetPeriod = (typeof BUDGET_PERIODS)[number];

/** Of the period that a time is in, inclusive. */
export function periodStart(period: BudgetPeriod, at: Date): Date {
  switch (period) {
    case 'DAY':
      return new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()));
    case 'MONTH':
      return new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth()));
    case 'TOTAL':
      return new Date(0);
  }
}

/** When the period that begins at `start` is over; null: never. */
export function periodEnd(period: BudgetPeriod, start: Date): Date | null {
  switch (period) {
    case 'DAY':
      return new Date(
        Date.UTC(start.getUTCFullYear(), start.getUTCMonth(), start.getUTCDate() + 1),
      );
    case 'MONTH':
      return new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + 1));
    case 'TOTAL':
      return null;
  }
}
