import type { JsonObject } from '../edits/json-object.ts';
import { builder } from './builder.ts';

interface TokenDetails {
  readonly textTokens: number | null;
  readonly imageTokens: number | null;
}

const TokenUsageDetails = builder.objectRef<TokenDetails>('TokenUsageDetails').implement({
  description: 'Tokens by kind; null where the edits API did not say.',
  fields: (t) => ({
    textTokens: t.exposeInt('textTokens', { nullable: true, description: 'Tokens of text.' }),
    imageTokens: t.exposeInt('imageTokens', { nullable: true, description: 'Tokens of pictures.' }),
  }),
});

/** Of a row whose numbers are unknown, nobody gets here: see `EditJob.usage`. */
function known(tokens: number | null): number {
  if (tokens === null) throw new Error('an unknown usage was asked for its numbers');
  return tokens;
}

export const TokenUsage = builder.prismaObject('TokenUsage', {
  description: 'Tokens as the edits API reported them.',
  fields: (t) => ({
    totalTokens: t.int({
      description: 'Input and output together.',
      select: { totalTokens: true },
      resolve: ({ totalTokens }) => known(totalTokens),
    }),
    inputTokens: t.int({
      description: 'Prompt and pictures that went in.',
      select: { inputTokens: true },
      resolve: ({ inputTokens }) => known(inputTokens),
    }),
    outputTokens: t.int({
      description: 'Pictures that came out.',
      select: { outputTokens: true },
      resolve: ({ outputTokens }) => known(outputTokens),
    }),
    inputTokensDetails: t.field({
      type: TokenUsageDetails,
      description: 'The input by kind.',
      select: { inputTextTokens: true, inputImageTokens: true },
      resolve: (usage) => ({
        textTokens: usage.inputTextTokens,
        imageTokens: usage.inputImageTokens,
      }),
    }),
    cachedInputTokens: t.exposeInt('inputCachedTokens', {
      nullable: true,
      description:
        'The part of the input that the edits API had in its cache; null: it did not say.',
    }),
    cachedInputTokensDetails: t.field({
      type: TokenUsageDetails,
      description: 'The cached part of the input by kind.',
      select: { inputCachedTextTokens: true, inputCachedImageTokens: true },
      resolve: (usage) => ({
        textTokens: usage.inputCachedTextTokens,
        imageTokens: usage.inputCachedImageTokens,
      }),
    }),
    outputTokensDetails: t.field({
      type: TokenUsageDetails,
      description: 'The output by kind.',
      select: { outputTextTokens: true, outputImageTokens: true },
      resolve: (usage) => ({
        textTokens: usage.outputTextTokens,
        imageTokens: usage.outputImageTokens,
      }),
    }),
    raw: t.field({
      type: 'JSONObject',
      description: '`usage` as the edits API answered it, from which the other numbers are taken.',
      select: { raw: true },
      resolve: ({ raw }) => raw as JsonObject,
    }),
  }),
});
