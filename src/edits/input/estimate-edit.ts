import { checkAll, checkEach, InvalidInputError } from '../../errors.ts';
import { type Estimate, estimate } from '../../models/estimate.ts';
import type { Models } from '../../models/models.ts';
import type { PriceTable } from '../../models/prices.ts';
import type { PixelSize } from '../../models/sizes.ts';
import type { CostBound } from '../submit/cost-bound.ts';
import { checkImageCount, resolveSize } from './images.ts';
import { checkEditParams, type EditParamsInput, modelLimits } from './parameters.ts';
import { planEdit } from './plan-edit.ts';

const MAX_EDGE_PX = 99_999;

export interface EstimateInput extends EditParamsInput {
  /** In order: sizes, or functions that look one up after everything else was checked. */
  readonly images: readonly (PixelSize | (() => Promise<PixelSize>))[];
}

export interface EditEstimate extends Estimate {
  readonly model: string;
  /** As it would be sent: `auto` or WIDTHxHEIGHT. */
  readonly resolvedSize: string;
  /** Amount that a limit on cost would reserve; null if an edit under such a limit is rejected. */
  readonly reservedMicroUsd: bigint | null;
  /** The edits API is the sandbox, so nothing would be paid. */
  readonly nominal: boolean;
}

/**
 * What an edit would use and cost now. Parameters are checked as those of an edit are.
 * @throws InvalidInputError; whatever looking up an image throws.
 */
export type EstimateEdit = (input: EstimateInput) => Promise<EditEstimate>;

export function createEstimateEdit(options: {
  models: Models;
  prices: PriceTable;
  costBound: CostBound;
  sandbox: boolean;
}): EstimateEdit {
  const { models, prices, costBound, sandbox } = options;

  return async (input) => {
    const { params } = checkAll({
      count: () => checkImageCount(input.images.length, modelLimits(input, models).maxImages),
      images: () => checkEach(input.images, checkDimensions),
      params: () => checkEditParams(input, models),
    });
    const images = await Promise.all(
      input.images.map((image) => (typeof image === 'function' ? image() : image)),
    );
    const [first] = images;
    if (first === undefined) throw new Error('an edit has an image');
    const resolvedSize = resolveSize(params, models, first);
    const planned = await planEdit(params, models, { resolvedSize, images });
    const { costMicroUsd: reserved } = await costBound(params.model, planned);
    return {
      ...estimate(planned, prices.at(params.model, new Date())),
      model: params.model,
      resolvedSize,
      reservedMicroUsd: reserved instanceof InvalidInputError ? null : reserved,
      nominal: sandbox,
    };
  };
}

function checkDimensions(image: EstimateInput['images'][number], index: number): void {
  if (typeof image === 'function') return;
  checkEach(['width', 'height'] as const, (edge) => {
    const value = image[edge];
    if (value >= 1 && value <= MAX_EDGE_PX) return;
    throw new InvalidInputError(
      `images[${index}].dimensions.${edge}`,
      value < 1 ? 'TOO_SMALL' : 'TOO_LARGE',
      `${edge} must be 1 to ${MAX_EDGE_PX} pixels; it is ${value}.`,
    );
  });
}
