import { InvalidInputError } from '../../errors.ts';
import { checkRoom } from '../../limits/budget-state.ts';
import type { Budgets, Reserved } from '../../limits/budgets.ts';
import type { Models } from '../../models/models.ts';
import type { PixelSize } from '../../models/sizes.ts';
import type { EditParams } from '../input/parameters.ts';
import { planEdit } from '../input/plan-edit.ts';
import type { CostBound } from './cost-bound.ts';

/**
 * What a new edit has to reserve of its owner's budget; null: there is none. A mask counts as one
 * more image. A first look that keeps an edit without room from being stored; the commit asks again.
 * @throws BudgetExceededError; InvalidInputError when the most that the edit may cost is not known.
 */
export type ReserveCost = (
  ownerId: string,
  params: EditParams,
  edit: {
    readonly resolvedSize: string;
    readonly images: readonly PixelSize[];
    readonly mask: PixelSize | null;
  },
) => Promise<Reserved | null>;

export function createReserveCost(options: {
  budgets: Budgets;
  models: Models;
  costBound: CostBound;
}): ReserveCost {
  const { budgets, models, costBound } = options;

  return async (ownerId, params, { resolvedSize, images, mask }) => {
    const budget = await budgets.find(ownerId);
    if (budget === null) return null;
    const all = mask === null ? images : [...images, mask];
    const planned = await planEdit(params, models, { resolvedSize, images: all });
    const reserved = await costBound(params.model, planned);
    if (reserved instanceof InvalidInputError) throw reserved;
    checkRoom(budget, reserved.amountMicroUsd);
    return reserved;
  };
}
