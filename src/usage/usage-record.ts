import type { Prisma } from '../database/database.ts';

/**
 * `EditJob.usage` as exports and webhooks have it, with GraphQL's names. Null if the upstream reported
 * no usage, or numbers that contradict each other.
 */
export function toUsageRecord(usage: Prisma.TokenUsageModel | null) {
  if (usage?.totalTokens == null) return null;
  return {
    totalTokens: usage.totalTokens,
    inputTokens: usage.inputTokens,
    inputTokensDetails: { textTokens: usage.inputTextTokens, imageTokens: usage.inputImageTokens },
    cachedInputTokens: usage.inputCachedTokens,
    cachedInputTokensDetails: {
      textTokens: usage.inputCachedTextTokens,
      imageTokens: usage.inputCachedImageTokens,
    },
    outputTokens: usage.outputTokens,
    outputTokensDetails: {
      textTokens: usage.outputTextTokens,
      imageTokens: usage.outputImageTokens,
    },
  };
}
