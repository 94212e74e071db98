import { describe, expect, it } from 'vitest';
import { readTokenUsage } from '../../src/usage/token-usage.ts';

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

  it.each<[string, object]>([
    [
      'the chat API',
      {
        prompt_tokens: 304,
        completion_tokens: 1_056,
        total_tokens: 1_360,
        prompt_tokens_details: USAGE.input_tokens_details,
      },
    ],
    [
      'the chat API, the others filled with zeros',
      {
        prompt_tokens: 304,
        completion_tokens: 1_056,
        total_tokens: 1_360,
        prompt_tokens_details: { cached_tokens: 0, ...USAGE.input_tokens_details },
        completion_tokens_details: { text_tokens: 0, image_tokens: 0, reasoning_tokens: 0 },
        input_tokens: 0,
        output_tokens: 0,
        input_tokens_details: { text_tokens: 0, image_tokens: 0 },
        output_tokens_details: null,
      },
    ],
    [
      'both, alike',
      { ...USAGE, prompt_tokens: 304, completion_tokens: 1_056, prompt_tokens_details: null },
    ],
    [
      'libraries',
      {
        inputTokens: 304,
        outputTokens: 1_056,
        totalTokens: 1_360,
        inputTokensDetails: { textTokens: 110, imageTokens: 194 },
      },
    ],
    [
      'the API, as digits',
      { ...USAGE, input_tokens: '304', output_tokens: '1056', total_tokens: '1360' },
    ],
    ['the API, without a total', { ...USAGE, total_tokens: undefined }],
  ])('is read under the names of %s', (_, usage) => {
    expect(readTokenUsage(usage)).toMatchObject({
      totalTokens: 1_360,
      inputTokens: 304,
      outputTokens: 1_056,
      inputTextTokens: 110,
      inputImageTokens: 194,
      outputTextTokens: null,
      outputImageTokens: null,
    });
  });

  it('takes zeros in the details of a whole for not said', () => {
    const zeros = { text_tokens: 0, image_tokens: 0 };
    const usage = { ...USAGE, input_tokens_details: zeros, output_tokens_details: zeros };
    expect(readTokenUsage(usage)).toMatchObject({
      inputTokens: 304,
      inputTextTokens: null,
      inputImageTokens: null,
      outputImageTokens: null,
    });
  });

  it('has a kind that is told alone', () => {
    const usage = { ...USAGE, output_tokens_details: { text_tokens: 7 } };
    expect(readTokenUsage(usage)).toMatchObject({ outputTextTokens: 7, outputImageTokens: null });
  });

  it.each<[string, unknown]>([
    ['there is none', null],
    ['it is a text', 'many'],
    ['it is a list', [USAGE]],
    ['it is empty', {}],
    [
      'all is zero',
      {
        total_tokens: 0,
        input_tokens: 0,
        output_tokens: 0,
        input_tokens_details: { text_tokens: 0, image_tokens: 0 },
      },
    ],
    ['images took no tokens', { ...USAGE, total_tokens: 304, output_tokens: 0 }],
    ['images came from no tokens', { total_tokens: 1_056, input_tokens: 0, output_tokens: 1_056 }],
    ['only a total is there', { total_tokens: 1_360 }],
    ['the total is not the sum', { ...USAGE, total_tokens: 1_361 }],
    ['the total is zero', { ...USAGE, total_tokens: 0 }],
    ['two names differ', { ...USAGE, prompt_tokens: 305 }],
    [
      'details are more than their whole',
      { ...USAGE, input_tokens_details: { text_tokens: 110, image_tokens: 195 } },
    ],
    [
      'details are less than their whole',
      { ...USAGE, input_tokens_details: { text_tokens: 110, image_tokens: 193 } },
    ],
    [
      'one detail is more than its whole',
      { ...USAGE, output_tokens_details: { image_tokens: 1_057 } },
    ],
    [
      'a detail is negative',
      { ...USAGE, output_tokens_details: { image_tokens: -1, text_tokens: 7 } },
    ],
    ['details are a text', { ...USAGE, input_tokens_details: 'many' }],
    ['more is cached than there is', { ...USAGE, cached_tokens: 305 }],
    [
      'more of a kind is cached than there is',
      {
        ...USAGE,
        input_tokens_details: {
          ...USAGE.input_tokens_details,
          cached_tokens: 120,
          cached_tokens_details: { text_tokens: 120, image_tokens: 0 },
        },
      },
    ],
    [
      'cached kinds are not what is cached',
      {
        ...USAGE,
        input_tokens_details: {
          ...USAGE.input_tokens_details,
          cached_tokens: 50,
          cached_tokens_details: { text_tokens: 40, image_tokens: 0 },
        },
      },
    ],
    ['a number is a fraction', { ...USAGE, total_tokens: 1_360.5 }],
    ['a number is negative', { ...USAGE, input_tokens: -304 }],
    ['a number is no count of tokens', { ...USAGE, input_tokens: 2 ** 31 }],
    ['the sum is no count of tokens', { input_tokens: 2 ** 31 - 1, output_tokens: 1 }],
    ['a number is a word', { ...USAGE, input_tokens: 'many' }],
    ['a number is true', { ...USAGE, input_tokens: true }],
  ])('is unknown when %s', (_, usage) => {
    expect(readTokenUsage(usage)).toBeNull();
  });
});
