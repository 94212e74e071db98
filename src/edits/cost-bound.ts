import type { Models } from '../edits-api/models.ts';
import { InvalidInputError } from '../errors.ts';
import { type EstimateGap, estimate } from '../usage/estimate.ts';
import type { PriceTable } from '../usage/price-table.ts';
import type { EditParams } from './edit-params.ts';
import type { Dimensions } from './image-size.ts';
import { planEdit } from './plan-edit.ts';

/**
 * The most that an edit can cost, in micro-dollars: what is left to the model is counted at its
 * dearest, and a mask as one more picture.
 * @throws InvalidInputError when that cannot be told, naming the field that makes it so.
 */
export type CostBound = (
  params: EditParams,
  edit: { resolvedSize: string; images: readonly Dimensions[]; mask: Dimensions | null },
) => Promise<bigint>;

export function createCostBound(options: { models: Models; prices: PriceTable }): CostBound {
  const { models, prices } = options;

  return async (params, { resolvedSize, images, mask }) => {
    const pictures = mask === null ? images : [...images, mask];
    const planned = await planEdit(params, models, { resolvedSize, images: pictures });
    const { costMicroUsd, gaps } = estimate(planned, prices.at(params.model, new Date()));
    if (costMicroUsd.max !== null) return costMicroUsd.max;
    const { field, reason } = whatIsUnknown(params, planned.sizes === null, gaps);
    throw new InvalidInputError(
      field,
      'UNSUPPORTED_VALUE',
      `There is a budget, and what this edit may cost cannot be told beforehand: ${reason} \`estimateEdit\` tells it of any edit.`,
    );
  };
}

function whatIsUnknown(
  { model, quality }: EditParams,
  isAnySize: boolean,
  gaps: readonly EstimateGap[],
): { field: string; reason: string } {
  if (gaps.includes('PRICE_UNKNOWN')) {
    return { field: 'model', reason: `no price of ${model} is known; use another model.` };
  }
  if (gaps.includes('INPUT_TOKENS_NOT_PUBLISHED')) {
    return {
      field: 'model',
      reason: `how many tokens ${model} counts for a picture is not published; use another model.`,
    };
  }
  if (gaps.includes('OUTPUT_TOKENS_NOT_PUBLISHED')) {
    return quality === null
      ? { field: 'model', reason: `${model}’s output tokens are not published; use another model.` }
      : { field: 'quality', reason: `${model}’s tokens at this quality are not published.` };
  }
  return isAnySize
    ? { field: 'size', reason: `${model} may choose any size; give one as WIDTHxHEIGHT.` }
    : { field: 'model', reason: `not everything about ${model} is known; use another model.` };
}
