import { checkRoom } from '../usage/budget-state.ts';
import type { Budgets } from '../usage/budgets.ts';
import type { CostBound } from './cost-bound.ts';

/**
 * What a new edit has to hold of its owner's budget, in micro-dollars; null: there is none. A first
 * look that keeps what has no room from being stored; who commits asks again.
 * @throws BudgetExceededError; InvalidInputError as CostBound.
 */
export type HoldCost = (ownerId: string, ...edit: Parameters<CostBound>) => Promise<bigint | null>;

export function createHoldCost(options: { budgets: Budgets; costBound: CostBound }): HoldCost {
  const { budgets, costBound } = options;

  return async (ownerId, ...edit) => {
    const budget = await budgets.find(ownerId);
    if (budget === null) return null;
    const amountMicroUsd = await costBound(...edit);
    checkRoom(budget, amountMicroUsd);
    return amountMicroUsd;
  };
}
