/** The window over which spending is counted. Days and months are in UTC; TOTAL never ends. */
export const BUDGET_PERIODS = ['DAY', 'MONTH', 'TOTAL'] as const;

export type BudgetPeriod = (typeof BUDGET_PERIODS)[number];

/** Start of the period that contains the time, inclusive. */
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

/** End of the period that begins at `start`; null if it never ends. */
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
