import { PARTIAL_IMAGE_TOKENS, type TokenInputFidelity } from './image-tokens.ts';
import type { ModelTokens } from './model.ts';
import { type PriceVersion, priceTokens } from './prices.ts';
import type { PixelSize } from './sizes.ts';
import { inputTokens, outputTokens } from './token-rules.ts';

/** What is known about an edit before it is sent. */
export interface PlannedEdit {
  /** Of the model. */
  readonly tokens: ModelTokens;
  /** Tokens of the prompt in o200k_base. */
  readonly textTokens: number;
  /** The input images. Tokens of masks are not published. */
  readonly images: readonly PixelSize[];
  readonly inputFidelity: TokenInputFidelity;
  /** Possible sizes of an output; null for any that the model accepts. */
  readonly sizes: readonly PixelSize[] | null;
  /** The possible sizes that may take the most tokens; null if unknown. */
  readonly extremeSizes: readonly PixelSize[] | null;
  /** In the edits API's spelling, including `auto`. */
  readonly quality: string;
  readonly n: number;
  /** Per output image. */
  readonly partialImages: number;
}

export type EstimateGap =
  | 'INPUT_TOKENS_NOT_PUBLISHED'
  | 'OUTPUT_TOKENS_NOT_PUBLISHED'
  | 'AUTO_QUALITY'
  | 'AUTO_SIZE'
  | 'PRICE_UNKNOWN';

/** Both bounds are inclusive. */
export interface Range<Value> {
  readonly min: Value;
  readonly max: Value;
}

/** Estimated usage and cost of an edit. Null where it cannot be estimated. */
export interface Estimate {
  readonly textInputTokens: number;
  readonly imageInputTokens: number | null;
  readonly outputTokens: Range<number> | null;
  readonly totalTokens: Range<number> | null;
  /** `min` counts the known part; `max` is null if a part is unknown. */
  readonly costMicroUsd: { readonly min: bigint | null; readonly max: bigint | null };
  readonly priceVersion: string | null;
  /** Why the estimate is a range or has null parts; empty if it is complete. */
  readonly gaps: readonly EstimateGap[];
}

/** By the published formulas and the model's current `prices`. Nothing counts as cached. */
export function estimate(edit: PlannedEdit, prices: PriceVersion | null): Estimate {
  const gaps = new Set<EstimateGap>();
  const { textTokens } = edit;
  const imageInputTokens = estimateInput(edit, gaps);
  const output = estimateOutput(edit, gaps);

  const cost = (end: 'min' | 'max') => {
    if (prices === null) return null;
    const { textInput, imageInput, imageOutput } = prices.prices;
    const isPartial = imageInputTokens === null || output === null;
    if (end === 'max' && isPartial) return null;
    return priceTokens([
      [textTokens, textInput],
      [imageInputTokens ?? 0, imageInput],
      [output?.[end] ?? 0, imageOutput],
    ]);
  };
  const costMicroUsd = { min: cost('min'), max: cost('max') };
  if (costMicroUsd.min === null) gaps.add('PRICE_UNKNOWN');
  return {
    textInputTokens: textTokens,
    imageInputTokens,
    outputTokens: output,
    totalTokens:
      imageInputTokens === null || output === null
        ? null
        : {
            min: textTokens + imageInputTokens + output.min,
            max: textTokens + imageInputTokens + output.max,
          },
    costMicroUsd,
    priceVersion: prices?.version ?? null,
    gaps: [...gaps],
  };
}

function estimateInput(
  { images, inputFidelity, tokens: { input } }: PlannedEdit,
  gaps: Set<EstimateGap>,
): number | null {
  if (input?.basis !== 'published') {
    gaps.add('INPUT_TOKENS_NOT_PUBLISHED');
    return null;
  }
  return images.reduce((sum, size) => sum + inputTokens(input, size, inputFidelity), 0);
}

/** `auto` is any value that the model may choose. */
function estimateOutput(
  { quality, sizes, n, partialImages, tokens: { output } }: PlannedEdit,
  gaps: Set<EstimateGap>,
): Range<number> | null {
  if (quality === 'auto') gaps.add('AUTO_QUALITY');
  if (sizes === null || sizes.length > 1) gaps.add('AUTO_SIZE');
  if (output?.basis !== 'published') {
    gaps.add('OUTPUT_TOKENS_NOT_PUBLISHED');
    return null;
  }
  if (sizes === null) return null;
  const each = sizes.flatMap((size) => outputTokens(output, size, quality) ?? []);
  if (each.length < sizes.length) {
    gaps.add('OUTPUT_TOKENS_NOT_PUBLISHED');
    return null;
  }
  const all = (tokens: number) => n * (tokens + partialImages * PARTIAL_IMAGE_TOKENS);
  return {
    min: all(Math.min(...each.map(({ min }) => min))),
    max: all(Math.max(...each.map(({ max }) => max))),
  };
}
