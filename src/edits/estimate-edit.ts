import type { ModelSizes, Models } from '../edits-api/models.ts';
import { InvalidInputError } from '../errors.ts';
import { type Estimate, estimate } from '../usage/estimate.ts';
import type { PriceTable } from '../usage/price-table.ts';
import { countTextTokens } from '../usage/text-tokens.ts';
import {
  checkEditParams,
  checkImageCount,
  type EditParamsInput,
  resolveSize,
} from './edit-params.ts';
import { type Dimensions, parseSize } from './image-size.ts';

const MAX_EDGE_PX = 99_999;

export interface EstimateInput extends EditParamsInput {
  readonly imageCount: number;
  /** Gets the sizes of all pictures, in order, after everything else was checked. */
  pictures(): Promise<readonly Dimensions[]>;
}

export interface EditEstimate extends Estimate {
  readonly model: string;
  /** As it would be sent: `auto` or WIDTHxHEIGHT. */
  readonly resolvedSize: string;
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
  sandbox: boolean;
}): EstimateEdit {
  const { models, prices, sandbox } = options;

  return async (input) => {
    const params = checkEditParams(input, models);
    const model = models.get(params.model);
    checkImageCount(input.imageCount, model.maxImages);
    const pictures = await input.pictures();
    pictures.forEach(checkDimensions);
    const [first] = pictures;
    if (first === undefined) throw new Error('an edit has a picture');
    const resolvedSize = resolveSize(params, models, first);
    const planned = {
      model: params.model,
      textTokens: await countTextTokens(params.prompt),
      images: pictures,
      inputFidelity: params.inputFidelity === 'high' ? ('high' as const) : ('low' as const),
      sizes: possibleSizes(resolvedSize, model.sizes),
      quality: params.quality ?? 'auto',
      n: params.n,
      partialImages: params.partialImages ?? 0,
    };
    return {
      ...estimate(planned, prices.at(params.model, new Date())),
      model: params.model,
      resolvedSize,
      nominal: sandbox,
    };
  };
}

/** Null: any. */
function possibleSizes(
  resolvedSize: string,
  sizes: ModelSizes | null,
): readonly Dimensions[] | null {
  const size = parseSize(resolvedSize);
  if (size !== null) return [size];
  return sizes?.kind === 'listed' ? sizes.sizes.flatMap((one) => parseSize(one) ?? []) : null;
}

function checkDimensions(picture: Dimensions, index: number): void {
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
