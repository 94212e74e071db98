import { BudgetExceededError } from '../errors.ts';
import { formatDecimal, USD_FRACTION_DIGITS } from '../models/decimal.ts';
import { type BudgetPeriod, periodEnd, periodStart } from './budget-period.ts';

/** As it is written down. */
export interface BudgetRow {
  readonly ownerId: string;
  readonly limitMicroUsd: bigint;
  readonly period: BudgetPeriod;
  readonly periodStart: Date;
  readonly spentMicroUsd: bigint;
  readonly reservedMicroUsd: bigint;
}

/** A budget as it is at a time. */
export interface BudgetState {
  readonly ownerId: string;
  readonly limitMicroUsd: bigint;
  readonly period: BudgetPeriod;
  /** What the edits of the period have cost. */
  readonly spentMicroUsd: bigint;
  /** What is reserved for those of which nobody can tell the cost, yet or ever. */
  readonly reservedMicroUsd: bigint;
  /** Both together. */
  readonly usedMicroUsd: bigint;
  /** Never below 0. */
  readonly remainingMicroUsd: bigint;
  /** What is used above the limit. Never below 0. */
  readonly exceededByMicroUsd: bigint;
  /** Null: never. */
  readonly resetsAt: Date | null;
}

/** A period that is over by `now` counts no more, also where nothing has been written since. */
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

/** @throws BudgetExceededError unless so much is left. */
export function checkRoom(state: BudgetState, amountMicroUsd: bigint): void {
  const { limitMicroUsd, usedMicroUsd, resetsAt } = state;
  if (usedMicroUsd + amountMicroUsd <= limitMicroUsd) return;
  const usd = (amount: bigint) => `$${formatDecimal(amount, USD_FRACTION_DIGITS)}`;
  const advice =
    resetsAt === null
      ? 'An admin can raise it.'
      : `Try again after ${resetsAt.toISOString()}, or have an admin raise it.`;
  throw new BudgetExceededError(
    `The edit may cost ${usd(amountMicroUsd)}; of the budget of ${usd(limitMicroUsd)}, ${usd(usedMicroUsd)} are spent or held. ${advice}`,
    { limitMicroUsd, usedMicroUsd, resetsAt },
  );
}
