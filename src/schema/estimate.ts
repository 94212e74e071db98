import type { EditEstimate } from '../edits/estimate-edit.ts';
import { InvalidInputError, NotFoundError } from '../errors.ts';
import type { EstimateGap } from '../models/estimate.ts';
import type { PixelSize } from '../models/sizes.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';
import { Cost, type CostShape } from './cost.ts';
import { ImageBackground, ImageQuality, InputFidelity, Moderation, OutputFormat } from './enums.ts';
import { idOf } from './global-id.ts';

const ImageDimensionsInput = builder.inputType('ImageDimensionsInput', {
  description: 'How large a picture is, as a viewer shows it: after its EXIF orientation.',
  fields: (t) => ({
    width: t.int({ required: true, description: 'Pixels, 1 to 99,999.' }),
    height: t.int({ required: true, description: 'Pixels, 1 to 99,999.' }),
  }),
});

const EstimateImageInput = builder.inputType('EstimateImageInput', {
  description: 'A picture that is stored already, or the size of one that is not uploaded yet.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: 'Global id of an Image.' }),
    dimensions: t.field({ type: ImageDimensionsInput, description: 'Its size is enough.' }),
  }),
});

const EstimateEditInput = builder.inputType('EstimateEditInput', {
  description:
    'The edit in question, in the words of `EditImageInput`, and checked alike. A mask is left out: nothing is published about its tokens.',
  fields: (t) => ({
    images: t.field({
      type: [EstimateImageInput],
      required: true,
      description: '1 to 16 pictures, in order.',
    }),
    prompt: t.string({ required: true, description: 'What to change.' }),
    model: t.string({ description: 'Default: the server’s.' }),
    size: t.field({ type: 'ImageSize', description: 'Default `"1024x1024"`.' }),
    n: t.int({ description: 'How many pictures to make: 1 to 10, default 1.' }),
    quality: t.field({ type: ImageQuality, description: 'Default AUTO: the model chooses.' }),
    background: t.field({ type: ImageBackground, description: 'Checked only.' }),
    outputFormat: t.field({ type: OutputFormat, description: 'Checked only.' }),
    outputCompression: t.int({ description: 'Checked only.' }),
    inputFidelity: t.field({ type: InputFidelity, description: 'Default LOW.' }),
    moderation: t.field({ type: Moderation, description: 'Checked only.' }),
    partialImages: t.int({ description: '0 to 3, default 0.' }),
    extraParams: t.field({
      type: 'JSONObject',
      description: 'Checked only: what they change is not known here.',
    }),
  }),
});

const GapCode = builder.enumType('EstimateGapCode', {
  description: 'Why something cannot be told before an edit.',
  values: {
    INPUT_TOKENS_NOT_PUBLISHED: {
      description: 'No formula for this model’s input pictures is published.',
    },
    OUTPUT_TOKENS_NOT_PUBLISHED: {
      description: 'No formula for this model’s output pictures, in this quality, is published.',
    },
    AUTO_QUALITY: { description: 'The model chooses the quality: name one for a closer estimate.' },
    AUTO_SIZE: { description: 'The model chooses the size: name one for a closer estimate.' },
    PRICE_UNKNOWN: { description: 'A price of this model is not known to this server.' },
  } satisfies Record<EstimateGap, { description: string }>,
});

const TokenRange = builder.objectRef<{ min: number; max: number }>('TokenRange').implement({
  description: 'From `min` to `max`, both included; equal when it is known exactly.',
  fields: (t) => ({
    min: t.exposeInt('min', { description: 'At least.' }),
    max: t.exposeInt('max', { description: 'At most.' }),
  }),
});

const EditEstimateObject = builder.objectRef<EditEstimate>('EditEstimate').implement({
  description:
    'What an edit would use and cost, by the published formulas and prices. The bill is what the edits API reports afterwards.',
  fields: (t) => ({
    model: t.exposeString('model', { description: 'The model that would be asked.' }),
    resolvedSize: t.exposeString('resolvedSize', { description: 'The size that would be sent.' }),
    textInputTokens: t.exposeInt('textInputTokens', {
      description:
        'Of the prompt, by the encoding o200k_base. The edits API adds a few of its own.',
    }),
    imageInputTokens: t.exposeInt('imageInputTokens', {
      nullable: true,
      description: 'Of the input pictures; null: cannot be told.',
    }),
    outputTokens: t.field({
      type: TokenRange,
      nullable: true,
      description: 'Of all output pictures, partial ones included; null: cannot be told.',
      resolve: ({ outputTokens }) => outputTokens,
    }),
    totalTokens: t.field({
      type: TokenRange,
      nullable: true,
      description: 'Of all together; null: cannot be told.',
      resolve: ({ totalTokens }) => totalTokens,
    }),
    cost: t.field({
      type: Cost,
      nullable: true,
      description: 'What it would cost, when that is one amount; null: see the other two.',
      resolve: (estimate) => {
        const { min, max } = estimate.costMicroUsd;
        return min === max ? toCost(max, estimate) : null;
      },
    }),
    costAtLeast: t.field({
      type: Cost,
      nullable: true,
      description: 'The cost of what can be told; null: a price is not known.',
      resolve: (estimate) => toCost(estimate.costMicroUsd.min, estimate),
    }),
    costAtMost: t.field({
      type: Cost,
      nullable: true,
      description: 'Null: something cannot be told that would add to it.',
      resolve: (estimate) => toCost(estimate.costMicroUsd.max, estimate),
    }),
    reserved: t.field({
      type: Cost,
      nullable: true,
      description:
        'What a budget reserves for the edit, a mask left out: the cost of its bounds, see `EditModel.bounds`. Not an estimate: bounds that are not published have a safety factor, and usage above a bound raises it. Null: with a budget the edit is rejected.',
      resolve: (estimate) => toCost(estimate.reservedMicroUsd, estimate),
    }),
    gaps: t.field({
      type: [GapCode],
      description: 'Why a part is a range or null; none: all of it is told.',
      resolve: ({ gaps }) => [...gaps],
    }),
  }),
});

builder.queryField('estimateEdit', (t) =>
  t.field({
    type: EditEstimateObject,
    description:
      'What an edit would cost, before anything is uploaded or paid. Nothing is stored or sent.',
    errors: {
      types: [InvalidInputError, NotFoundError],
      directResult: true,
      union: { name: 'EstimateEditResult', description: 'The estimate, or what is wrong.' },
    },
    args: {
      input: t.arg({ type: EstimateEditInput, required: true, description: 'The edit.' }),
    },
    resolve: (_, { input }, context) =>
      context.estimateEdit({
        ...input,
        imageCount: input.images.length,
        pictures: () => Promise.all(input.images.map((image) => sizeOf(image, context))),
      }),
  }),
);

async function sizeOf(
  { id, dimensions }: typeof EstimateImageInput.$inferInput,
  { images, viewer }: Context,
): Promise<PixelSize> {
  if (dimensions) return dimensions;
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
