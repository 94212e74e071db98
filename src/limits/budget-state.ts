import { BudgetExceededError } from '../errors.ts';
import { formatDecimal, USD_FRACTION_DIGITS } from '../models/decimal.ts';
import { type BudgetPeriod, periodEnd, periodStart } from './budget-period.ts';

/** A budget as stored. */
export interface BudgetRow {
  readonly ownerId: string;
  readonly limitMicroUsd: bigint;
  readonly period: BudgetPeriod;
  readonly periodStart: Date;
  readonly spentMicroUsd: bigint;
  readonly reservedMicroUsd: bigint;
}

/** A budget at a point in time. */
export interface BudgetState {
  readonly ownerId: string;
  readonly limitMicroUsd: bigint;
  readonly period: BudgetPeriod;
  /** Cost of the period's edits. */
  readonly spentMicroUsd: bigint;
  /** Reserved for edits that are still running or whose cost is unknown. */
  readonly reservedMicroUsd: bigint;
  /** Spent plus reserved. */
  readonly usedMicroUsd: bigint;
  /** Never below 0. */
  readonly remainingMicroUsd: bigint;
  /** Amount used above the limit. Never below 0. */
  readonly exceededByMicroUsd: bigint;
  /** Null for a total budget, which never resets. */
  readonly resetsAt: Date | null;
}

/** Ignores a period that is over at `now`, even if nothing has been written since. */
export function budgetState(row: BudgetRow, now: Date): BudgetState {
  const { ownerId, limitMicroUsd, period } = row;
  const current = periodStart(period, now);
  const isOver = row.periodStart < current;
  const spentMicroUsd = isOver ? 0n : row.spentMicroUsd;
  const reservedMicroUsd = isOver ? 0n : row.reservedMicroUsd;
  const usedMicroUsd = spentMicroUsd + reservedMicroUsd;
  const left = limitMicroUsd - usedMicroUsd;
  return {
    ownerId,
    limitMicroUsd,
    period,
    spentMicroUsd,
    reservedMicroUsd,
    usedMicroUsd,
    remainingMicroUsd: left > 0n ? left : 0n,
    exceededByMicroUsd: left < 0n ? -left : 0n,
    resetsAt: periodEnd(period, isOver ? current : row.periodStart),
  };
}

/** @throws BudgetExceededError if less than the amount remains. */
export function checkRoom(state: BudgetState, amountMicroUsd: bigint): void {
  const { limitMicroUsd, usedMicroUsd, resetsAt } = state;
  if (usedMicroUsd + amountMicroUsd <= limitMicroUsd) return;
  const usd = (amount: bigint) => `$${formatDecimal(amount, USD_FRACTION_DIGITS)}`;
  const advice =
    resetsAt === null
      ? 'An admin can raise it.'
      : `Try again after ${resetsAt.toISOString()}, or have an admin raise it.`;
  throw new BudgetExceededError(
    `The edit's maximum cost of ${usd(amountMicroUsd)} exceeds your remaining budget: ${usd(usedMicroUsd)} of ${usd(limitMicroUsd)} are spent or reserved. ${advice}`,
    { limitMicroUsd, usedMicroUsd, resetsAt },
  );
}
