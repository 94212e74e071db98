import type { EditEstimate } from '../edits/input/estimate-edit.ts';
import { InvalidInputError, NotFoundError } from '../errors.ts';
import type { EstimateGap } from '../models/estimate.ts';
import type { PixelSize } from '../models/sizes.ts';
import { idOf } from '../public-ids/global-id.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';
import { Cost, type CostShape } from './cost.ts';
import { parameterArguments } from './parameters.ts';

const ImageDimensionsInput = builder.inputType('ImageDimensionsInput', {
  description: 'Dimensions of an image as displayed, after applying its EXIF orientation.',
  fields: (t) => ({
    width: t.int({ required: true, description: 'Width in pixels, 1 to 99,999.' }),
    height: t.int({ required: true, description: 'Height in pixels, 1 to 99,999.' }),
  }),
});

const EstimateImageInput = builder.inputType('EstimateImageInput', {
  description: 'A stored image, or the dimensions of an image that is not uploaded yet.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: 'Global id of a stored Image.' }),
    dimensions: t.field({
      type: ImageDimensionsInput,
      description: 'Dimensions of an image that is not uploaded yet.',
    }),
  }),
});

const EstimateEditInput = builder.inputType('EstimateEditInput', {
  description:
    'The edit to estimate. Fields have the same meaning and validation as in `EditImageInput`. Masks are not supported because their token usage is not published.',
  fields: (t) => ({
    images: t.field({
      type: [EstimateImageInput],
      required: true,
      description: '1 to 16 input images, in order.',
    }),
    ...parameterArguments(
      t,
      ({ estimateDescription }) =>
        estimateDescription ?? 'Validated only; does not affect the estimate.',
    ),
    extraParams: t.field({
      type: 'JSONObject',
      description: 'Validated only; their effect on usage is unknown.',
    }),
  }),
});

const GapCode = builder.enumType('EstimateGapCode', {
  description: 'The reason why a part of an estimate is a range or unknown.',
  values: {
    INPUT_TOKENS_NOT_PUBLISHED: {
      description: 'No formula for the input image tokens of this model is published.',
    },
    OUTPUT_TOKENS_NOT_PUBLISHED: {
      description:
        'No formula for the output image tokens of this model at this quality is published.',
    },
    AUTO_QUALITY: {
      description: 'The model chooses the quality. Set `quality` for a more precise estimate.',
    },
    AUTO_SIZE: {
      description: 'The model chooses the size. Set `size` for a more precise estimate.',
    },
    PRICE_UNKNOWN: { description: 'This server does not know a price of this model.' },
  } satisfies Record<EstimateGap, { description: string }>,
});

const TokenRange = builder.objectRef<{ min: number; max: number }>('TokenRange').implement({
  description:
    'A range of token counts, both ends inclusive. `min` equals `max` if the count is exact.',
  fields: (t) => ({
    min: t.exposeInt('min', { description: 'Minimum number of tokens.' }),
    max: t.exposeInt('max', { description: 'Maximum number of tokens.' }),
  }),
});

const EditEstimateObject = builder.objectRef<EditEstimate>('EditEstimate').implement({
  description:
    'Estimated token usage and cost of an edit, from published formulas and prices. The actual cost follows from the usage that the upstream reports.',
  fields: (t) => ({
    model: t.exposeString('model', { description: 'The model that the edit would use.' }),
    resolvedSize: t.expose('resolvedSize', {
      type: 'ImageSize',
      description: 'The size that would be sent to the upstream.',
    }),
    textInputTokens: t.exposeInt('textInputTokens', {
      description:
        'Tokens of the prompt in the o200k_base encoding. The upstream adds a few tokens of its own.',
    }),
    imageInputTokens: t.exposeInt('imageInputTokens', {
      nullable: true,
      description: 'Tokens of the input images. Null if they cannot be estimated.',
    }),
    outputTokens: t.field({
      type: TokenRange,
      nullable: true,
      description:
        'Tokens of all output images, including partial images. Null if they cannot be estimated.',
      resolve: ({ outputTokens }) => outputTokens,
    }),
    totalTokens: t.field({
      type: TokenRange,
      nullable: true,
      description: 'Total of input and output tokens. Null if it cannot be estimated.',
      resolve: ({ totalTokens }) => totalTokens,
    }),
    cost: t.field({
      type: Cost,
      nullable: true,
      description:
        'Estimated cost, if it is a single amount. Null otherwise; see `costAtLeast` and `costAtMost`.',
      resolve: (estimate) => {
        const { min, max } = estimate.costMicroUsd;
        return min === max ? toCost(max, estimate) : null;
      },
    }),
    costAtLeast: t.field({
      type: Cost,
      nullable: true,
      description:
        'Lower bound: the cost of all tokens that can be estimated. Null if a price is not known.',
      resolve: (estimate) => toCost(estimate.costMicroUsd.min, estimate),
    }),
    costAtMost: t.field({
      type: Cost,
      nullable: true,
      description: 'Upper bound. Null if a part that would add to the cost cannot be estimated.',
      resolve: (estimate) => toCost(estimate.costMicroUsd.max, estimate),
    }),
    reserved: t.field({
      type: Cost,
      nullable: true,
      description:
        'Amount that a limit on COST reserves for the edit without a mask: the cost of its token bounds (see `EditModel.bounds`). This is not an estimate: bounds that are not published include a safety factor, and usage above a bound raises it. Null if the bounds or prices are not known; such an edit is rejected if a limit on COST applies to it.',
      resolve: (estimate) => toCost(estimate.reservedMicroUsd, estimate),
    }),
    gaps: t.field({
      type: [GapCode],
      description:
        'The reasons why parts of the estimate are ranges or null. Empty if the estimate is exact.',
      resolve: ({ gaps }) => [...gaps],
    }),
  }),
});

builder.queryField('estimateEdit', (t) =>
  t.field({
    type: EditEstimateObject,
    description:
      'Estimates the token usage and cost of an edit. Nothing is uploaded, stored, sent to an upstream or billed.',
    errors: {
      types: [InvalidInputError, NotFoundError],
      directResult: true,
      union: { name: 'EstimateEditResult', description: 'The estimate, or an error.' },
    },
    args: {
      input: t.arg({
        type: EstimateEditInput,
        required: true,
        description: 'The edit to estimate.',
      }),
    },
    resolve: (_, { input }, context) =>
      context.estimateEdit({
        ...input,
        images: input.images.map(({ id, dimensions }) => dimensions ?? (() => sizeOf(id, context))),
      }),
  }),
);

async function sizeOf(
  id: string | null | undefined,
  { images, viewer }: Context,
): Promise<PixelSize> {
  const imageId = idOf('Image', id ?? '');
  const image = imageId === null ? null : await images.find(viewer, imageId);
  if (image === null) throw new NotFoundError('Image', id ?? '');
  return image;
}

function toCost(
  amountMicroUsd: bigint | null,
  { priceVersion, nominal }: EditEstimate,
): CostShape | null {
  if (amountMicroUsd === null || priceVersion === null) return null;
  return { amountMicroUsd, priceVersion, nominal };
}
