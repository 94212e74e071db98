import type { Prisma } from '../database/database.ts';

/** Null if the upstream reported no usage, or numbers that contradict each other. */
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

/** Null if the edit has no error. */
export function toErrorRecord(job: Pick<Prisma.EditJobModel, 'errorCode' | 'errorMessage'>) {
  return job.errorCode === null ? null : { code: job.errorCode, message: job.errorMessage ?? '' };
}
