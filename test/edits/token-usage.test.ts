import { describe, expect, it } from 'vitest';
import { readTokenUsage } from '../../src/edits/token-usage.ts';

const USAGE = {
  total_tokens: 1_360,
  input_tokens: 304,
  output_tokens: 1_056,
  input_tokens_details: { text_tokens: 110, image_tokens: 194 },
};

describe('the usage of an answer', () => {
  it('is read with what it says, and null for what it does not', () => {
    expect(readTokenUsage(USAGE)).toEqual({
      totalTokens: 1_360,
      inputTokens: 304,
      outputTokens: 1_056,
      inputTextTokens: 110,
      inputImageTokens: 194,
      inputCachedTokens: null,
      inputCachedTextTokens: null,
      inputCachedImageTokens: null,
      outputTextTokens: null,
      outputImageTokens: null,
    });
  });

  it.each([
    [
      'beside the kinds of input',
      {
        input_tokens_details: {
          text_tokens: 110,
          image_tokens: 194,
          cached_tokens: 150,
          cached_tokens_details: { text_tokens: 100, image_tokens: 50 },
        },
      },
    ],
    [
      'beside the sums',
      {
        cached_tokens: 150,
        cached_tokens_details: { cached_text_tokens: 100, cached_image_tokens: 50 },
      },
    ],
  ])('has cached tokens %s', (_, cached) => {
    expect(readTokenUsage({ ...USAGE, ...cached })).toMatchObject({
      inputTextTokens: 110,
      inputImageTokens: 194,
      inputCachedTokens: 150,
      inputCachedTextTokens: 100,
      inputCachedImageTokens: 50,
    });
  });

  it('keeps the sums when the details are not readable', () => {
    const odd = {
      input_tokens_details: 'many',
      output_tokens_details: { image_tokens: -1, text_tokens: 7 },
      cached_tokens: 'some',
      cached_tokens_details: null,
    };
    expect(readTokenUsage({ ...USAGE, ...odd })).toMatchObject({
      totalTokens: 1_360,
      inputTextTokens: null,
      inputCachedTokens: null,
      outputTextTokens: 7,
      outputImageTokens: null,
    });
  });

  it.each([null, 'many', {}, { ...USAGE, total_tokens: 1.5 }, { ...USAGE, input_tokens: 2 ** 31 }])(
    'is unknown when its sums are not numbers of tokens: %j',
    (usage) => {
      expect(readTokenUsage(usage)).toBeNull();
    },
  );
});
