import { InvalidInputError } from '../../errors.ts';
import { type Estimate, estimate } from '../../models/estimate.ts';
import type { Models } from '../../models/models.ts';
import type { PriceTable } from '../../models/prices.ts';
import type { PixelSize } from '../../models/sizes.ts';
import type { CostBound } from '../submit/cost-bound.ts';
import { checkImageCount, resolveSize } from './images.ts';
import { checkEditParams, type EditParamsInput } from './parameters.ts';
import { planEdit } from './plan-edit.ts';

const MAX_EDGE_PX = 99_999;

export interface EstimateInput extends EditParamsInput {
  readonly imageCount: number;
  /** Gets the sizes of all pictures, in order, after everything else was checked. */
  pictures(): Promise<readonly PixelSize[]>;
}

export interface EditEstimate extends Estimate {
  readonly model: string;
  /** As it would be sent: `auto` or WIDTHxHEIGHT. */
  readonly resolvedSize: string;
  /** What the edit would reserve of a budget; null: it could not be taken in with one. */
  readonly reservedMicroUsd: bigint | null;
  /** The edits API is the sandbox, so nothing would be paid. */
  readonly nominal: boolean;
}

/**
 * What an edit would use and cost now. Parameters are checked as those of an edit are.
 * @throws InvalidInputError; what `pictures` throws.
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
    const params = checkEditParams(input, models);
    const model = models.get(params.model);
    checkImageCount(input.imageCount, model.maxImages);
    const pictures = await input.pictures();
    pictures.forEach(checkDimensions);
    const [first] = pictures;
    if (first === undefined) throw new Error('an edit has a picture');
    const resolvedSize = resolveSize(params, models, first);
    const planned = await planEdit(params, models, { resolvedSize, images: pictures });
    const reserved = await costBound(params.model, planned);
    return {
      ...estimate(planned, prices.at(params.model, new Date())),
      model: params.model,
      resolvedSize,
      reservedMicroUsd: reserved instanceof InvalidInputError ? null : reserved.amountMicroUsd,
      nominal: sandbox,
    };
  };
}

function checkDimensions(picture: PixelSize, index: number): void {
  for (const edge of ['width', 'height'] as const) {
    const value = picture[edge];
    if (value >= 1 && value <= MAX_EDGE_PX) continue;
    throw new InvalidInputError(
      `images[${index}].dimensions.${edge}`,
      value < 1 ? 'TOO_SMALL' : 'TOO_LARGE',
      `${edge} is a number of pixels from 1 to ${MAX_EDGE_PX}; not ${value}.`,
    );
  }
}
