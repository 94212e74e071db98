import { InvalidInputError } from '../../errors.ts';
import type { LimitedEdit } from '../../limits/applies.ts';
import { checkRoom } from '../../limits/check-room.ts';
import type { Limits, Reserved } from '../../limits/limits.ts';
import type { Models } from '../../models/models.ts';
import type { PixelSize } from '../../models/sizes.ts';
import type { EditParams } from '../input/parameters.ts';
import { planEdit } from '../input/plan-edit.ts';
import type { CostBound } from './cost-bound.ts';

/** What a new edit reserves in the limits that apply to it. */
export type PlannedReservation = Reserved & {
  /** Whether a limit applies to it so far. */
  readonly isLimited: boolean;
};

/**
 * Returns the maximum that a new edit may use, as far as a limit asks for it. A mask counts as one
 * more image. Also rejects an edit that has no room in a limit before anything of it is stored; the
 * commit checks again.
 * @throws LimitExceededError; InvalidInputError if a limit asks for an amount that is not known.
 */
export type PlanReservation = (
  limited: LimitedEdit,
  params: EditParams,
  edit: {
    readonly resolvedSize: string;
    readonly images: readonly PixelSize[];
    readonly mask: PixelSize | null;
  },
) => Promise<PlannedReservation>;

export function createPlanReservation(options: {
  limits: Pick<Limits, 'applyingTo'>;
  models: Models;
  costBound: CostBound;
  /** @default the system's clock */
  now?: () => Date;
}): PlanReservation {
  const { limits, models, costBound, now = () => new Date() } = options;

  return async (limited, params, { resolvedSize, images, mask }) => {
    const states = await limits.applyingTo(limited);
    const counts = { EDITS: 1n, CONCURRENT_EDITS: 1n, IMAGES: BigInt(params.n) };
    const isLimited = states.length > 0;
    const measures = new Set(states.map(({ measure }) => measure));
    if (!measures.has('COST') && !measures.has('TOKENS')) {
      checkRoom(states, counts, now());
      return { amounts: counts, bound: null, isLimited };
    }
    const all = mask === null ? images : [...images, mask];
    const planned = await planEdit(params, models, { resolvedSize, images: all });
    const { costMicroUsd, tokens } = await costBound(params.model, planned);
    // The cost follows from the tokens.
    if (measures.has('COST') && costMicroUsd instanceof InvalidInputError) throw costMicroUsd;
    if (tokens instanceof InvalidInputError) throw tokens;
    const amounts = {
      ...counts,
      TOKENS: tokens.amount,
      ...(!(costMicroUsd instanceof InvalidInputError) && { COST: costMicroUsd }),
    };
    checkRoom(states, amounts, now());
    return { amounts, bound: tokens.bound, isLimited };
  };
}
