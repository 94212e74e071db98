import { describe, expect, it } from 'vitest';
import { estimate, type PlannedEdit } from '../../src/models/estimate.ts';
import { createKnownModels } from '../../src/models/models.ts';

const SQUARE = { width: 1_024, height: 1_024 };
const PLANNED: Omit<PlannedEdit, 'tokens'> = {
  textTokens: 10,
  images: [SQUARE],
  inputFidelity: 'low',
  sizes: [SQUARE],
  extremeSizes: [SQUARE],
  quality: 'medium',
  n: 1,
  partialImages: 0,
};

const models = createKnownModels();
const estimateOf = ({
  model: id = 'gpt-image-1',
  ...changes
}: Partial<PlannedEdit> & { model?: string }) => {
  const { tokens, prices } = models.get(id);
  return estimate({ ...PLANNED, tokens, ...changes }, prices.at(-1) ?? null);
};

describe('an estimate', () => {
  it('is exact where everything is published', () => {
    expect(estimateOf({})).toEqual({
      textInputTokens: 10,
      imageInputTokens: 194,
      outputTokens: { min: 1_056, max: 1_056 },
      totalTokens: { min: 1_260, max: 1_260 },
      costMicroUsd: { min: 44_230n, max: 44_230n },
      priceVersion: 'openai-gpt-image-1-2025-04',
      gaps: [],
    });
  });

  it('counts every output image and every partial one', () => {
    const { outputTokens } = estimateOf({ n: 3, partialImages: 2 });
    expect(outputTokens).toEqual({ min: 3 * 1_256, max: 3 * 1_256 });
  });

  it('goes from the least to the most that the model may choose for auto', () => {
    const sizes = [SQUARE, { width: 1_536, height: 1_024 }];
    const either = estimateOf({ sizes, quality: 'auto' });
    expect(either.outputTokens).toEqual({ min: 272, max: 6_208 });
    expect(either.gaps).toEqual(['AUTO_QUALITY', 'AUTO_SIZE']);
    expect(either.costMicroUsd).toEqual({ min: 50n + 1_940n + 10_880n, max: 1_990n + 248_320n });
  });

  it.each(['gpt-image-1.5', 'chatgpt-image-latest', 'gpt-image-2', 'gpt-image-2.5-flare'])(
    'of %s tells the output, and that nothing is published about input images',
    (model) => {
      const some = estimateOf({ model });
      expect(some).toMatchObject({ imageInputTokens: null, totalTokens: null });
      expect(some.outputTokens?.min).toBeGreaterThan(0);
      expect(some.costMicroUsd.min).toBeGreaterThan(0n);
      expect(some.costMicroUsd.max).toBeNull();
      expect(some.gaps).toEqual(['INPUT_TOKENS_NOT_PUBLISHED']);
    },
  );

  it.each(['gpt-image-1-mini', 'gpt-image-2.6-flare'])(
    'of %s tells no tokens of images: bounds that are only measured are no estimates',
    (model) => {
      expect(estimateOf({ model })).toMatchObject({
        imageInputTokens: null,
        outputTokens: null,
        costMicroUsd: { max: null },
        gaps: ['INPUT_TOKENS_NOT_PUBLISHED', 'OUTPUT_TOKENS_NOT_PUBLISHED'],
      });
    },
  );

  it('of a flexible model in size auto tells no output', () => {
    expect(estimateOf({ model: 'gpt-image-2', sizes: null })).toMatchObject({
      outputTokens: null,
      gaps: ['INPUT_TOKENS_NOT_PUBLISHED', 'AUTO_SIZE'],
    });
  });

  it('tells no output in a quality that nothing is published about', () => {
    expect(estimateOf({ quality: 'max' })).toMatchObject({
      outputTokens: null,
      gaps: ['OUTPUT_TOKENS_NOT_PUBLISHED'],
    });
  });

  it('of an unknown model tells the text, and why the rest is not told', () => {
    expect(estimateOf({ model: 'house-model' })).toEqual({
      textInputTokens: 10,
      imageInputTokens: null,
      outputTokens: null,
      totalTokens: null,
      costMicroUsd: { min: null, max: null },
      priceVersion: null,
      gaps: ['INPUT_TOKENS_NOT_PUBLISHED', 'OUTPUT_TOKENS_NOT_PUBLISHED', 'PRICE_UNKNOWN'],
    });
  });
});
