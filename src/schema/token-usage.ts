import type { JsonObject } from '../edits/input/json-object.ts';
import { builder } from './builder.ts';

interface TokenDetails {
  readonly textTokens: number | null;
  readonly imageTokens: number | null;
}

const TokenUsageDetails = builder.objectRef<TokenDetails>('TokenUsageDetails').implement({
  description: 'Token counts by kind. Null if the upstream did not report them.',
  fields: (t) => ({
    textTokens: t.exposeInt('textTokens', {
      nullable: true,
      description: 'Number of text tokens.',
    }),
    imageTokens: t.exposeInt('imageTokens', {
      nullable: true,
      description: 'Number of image tokens.',
    }),
  }),
});

/** Rows with unknown numbers never get here: see `EditJob.usage`. */
function known(tokens: number | null): number {
  if (tokens === null) throw new Error('an unknown usage was asked for its numbers');
  return tokens;
}

export const TokenUsage = builder.prismaObject('TokenUsage', {
  description: 'Token usage of an edit, as reported by the upstream.',
  select: { totalTokens: true },
  fields: (t) => ({
    totalTokens: t.int({
      description: 'Total of input and output tokens.',
      select: { totalTokens: true },
      resolve: ({ totalTokens }) => known(totalTokens),
    }),
    inputTokens: t.int({
      description: 'Tokens of the prompt and the input images.',
      select: { inputTokens: true },
      resolve: ({ inputTokens }) => known(inputTokens),
    }),
    outputTokens: t.int({
      description: 'Tokens of the output images and, with some models, text.',
      select: { outputTokens: true },
      resolve: ({ outputTokens }) => known(outputTokens),
    }),
    inputTokensDetails: t.field({
      type: TokenUsageDetails,
      description: 'Input tokens by kind.',
      select: { inputTextTokens: true, inputImageTokens: true },
      resolve: (usage) => ({
        textTokens: usage.inputTextTokens,
        imageTokens: usage.inputImageTokens,
      }),
    }),
    cachedInputTokens: t.exposeInt('inputCachedTokens', {
      nullable: true,
      description:
        'Input tokens that the upstream read from its cache. Null if it did not report them.',
    }),
    cachedInputTokensDetails: t.field({
      type: TokenUsageDetails,
      description: 'Cached input tokens by kind.',
      select: { inputCachedTextTokens: true, inputCachedImageTokens: true },
      resolve: (usage) => ({
        textTokens: usage.inputCachedTextTokens,
        imageTokens: usage.inputCachedImageTokens,
      }),
    }),
    outputTokensDetails: t.field({
      type: TokenUsageDetails,
      description: 'Output tokens by kind.',
      select: { outputTextTokens: true, outputImageTokens: true },
      resolve: (usage) => ({
        textTokens: usage.outputTextTokens,
        imageTokens: usage.outputImageTokens,
      }),
    }),
    raw: t.field({
      type: 'JSONObject',
      description:
        'The `usage` object of the upstream’s response, from which the other counts are taken.',
      select: { raw: true },
      resolve: ({ raw }) => raw as JsonObject,
    }),
  }),
});
