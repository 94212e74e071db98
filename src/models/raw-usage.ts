/**
 * Tokens as the edits API reported them. Text and image are the kinds of the whole; cached tokens
 * are a part of the input, with the same kinds. Null if not reported.
 */
export interface RawUsage {
  readonly inputTokens: number;
  readonly inputTextTokens: number | null;
  readonly inputImageTokens: number | null;
  readonly inputCachedTokens: number | null;
  readonly inputCachedTextTokens: number | null;
  readonly inputCachedImageTokens: number | null;
  readonly outputTokens: number;
  readonly outputTextTokens: number | null;
  readonly outputImageTokens: number | null;
}
