import type { Viewer } from '../auth/viewer.ts';
import type { Prisma } from '../database/database.ts';
import { EDIT_ERRORS, isEditErrorCode } from '../edits-api/edit-error-codes.ts';

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
export function toErrorRecord(
  { errorCode: code, errorMessage }: Pick<Prisma.EditJobModel, 'errorCode' | 'errorMessage'>,
  reader: ErrorReader,
) {
  return code === null ? null : { code, message: shownMessage(code, errorMessage, reader) };
}

/** Who reads why an edit failed. */
export type ErrorReader = Pick<Viewer, 'isAdmin'>;

/**
 * The upstream's own message may name its operator's account, limits and prices: it is for admins.
 * Owners get the description of the code.
 */
export function shownMessage(
  code: string | null,
  message: string | null,
  { isAdmin }: ErrorReader,
): string {
  if (isAdmin) return message ?? '';
  return isEditErrorCode(code) ? EDIT_ERRORS[code].description : '';
}
