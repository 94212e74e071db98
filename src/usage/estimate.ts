import { PARTIAL_IMAGE_TOKENS, type PixelSize } from './image-tokens.ts';
import type { PriceVersion } from './price-table.ts';
import { total } from './pricing.ts';
import { publishedTokens } from './published-tokens.ts';

/** What is known of an edit before it is sent. */
export interface PlannedEdit {
  readonly model: string;
  /** Of the prompt. */
  readonly textTokens: number;
  /** The input pictures, without the mask: nothing is published about tokens of masks. */
  readonly images: readonly PixelSize[];
  readonly inputFidelity: 'low' | 'high';
  /** The sizes that an output may have; null: it may have any. */
  readonly sizes: readonly PixelSize[] | null;
  /** In the edits API's spelling, `auto` included. */
  readonly quality: string;
  readonly n: number;
  /** For each output. */
  readonly partialImages: number;
}

export type EstimateGap =
  | 'INPUT_TOKENS_NOT_PUBLISHED'
  | 'OUTPUT_TOKENS_NOT_PUBLISHED'
  | 'AUTO_QUALITY'
  | 'AUTO_SIZE'
  | 'PRICE_UNKNOWN';

/** Both included. */
export interface Range<Value> {
  readonly min: Value;
  readonly max: Value;
}

/** What an edit will use and cost, as far as that can be told beforehand. Null: it cannot. */
export interface Estimate {
  readonly textInputTokens: number;
  readonly imageInputTokens: number | null;
  readonly outputTokens: Range<number> | null;
  readonly totalTokens: Range<number> | null;
  /** `min` counts what is known; `max` is null when something is not. */
  readonly costMicroUsd: { readonly min: bigint | null; readonly max: bigint | null };
  readonly priceVersion: string | null;
  /** Why it is a range, or a part of it is null; none: it is all told. */
  readonly gaps: readonly EstimateGap[];
}

/** By the published formulas and `prices`, those of the model now. Nothing is counted as cached. */
export function estimate(edit: PlannedEdit, prices: PriceVersion | null): Estimate {
  const published = publishedTokens(edit.model);
  const gaps = new Set<EstimateGap>();
  const { textTokens, inputFidelity } = edit;

  const imageInputTokens =
    published.input &&
    edit.images.reduce((sum, size) => sum + (published.input?.(size, inputFidelity) ?? 0), 0);
  if (imageInputTokens === null) gaps.add('INPUT_TOKENS_NOT_PUBLISHED');
  const outputTokens = estimateOutput(edit, published.output, gaps);

  const cost = (bound: 'min' | 'max') => {
    if (prices === null) return null;
    const { textInput, imageInput, imageOutput } = prices.prices;
    const isPartial = imageInputTokens === null || outputTokens === null;
    if (bound === 'max' && isPartial) return null;
    return total([
      [textTokens, textInput],
      [imageInputTokens ?? 0, imageInput],
      [outputTokens?.[bound] ?? 0, imageOutput],
    ]);
  };
  const costMicroUsd = { min: cost('min'), max: cost('max') };
  if (costMicroUsd.min === null) gaps.add('PRICE_UNKNOWN');
  return {
    textInputTokens: textTokens,
    imageInputTokens,
    outputTokens,
    totalTokens:
      imageInputTokens === null || outputTokens === null
        ? null
        : {
            min: textTokens + imageInputTokens + outputTokens.min,
            max: textTokens + imageInputTokens + outputTokens.max,
          },
    costMicroUsd,
    priceVersion: prices?.version ?? null,
    gaps: [...gaps],
  };
}

/** `auto` is anything that the model may choose. */
function estimateOutput(
  { quality, sizes, n, partialImages }: PlannedEdit,
  published: ReturnType<typeof publishedTokens>['output'],
  gaps: Set<EstimateGap>,
): Range<number> | null {
  if (quality === 'auto') gaps.add('AUTO_QUALITY');
  if (sizes === null || sizes.length > 1) gaps.add('AUTO_SIZE');
  const qualities = quality === 'auto' ? (published?.qualities ?? []) : [quality];
  if (published === null || !qualities.every((one) => published.qualities.includes(one))) {
    gaps.add('OUTPUT_TOKENS_NOT_PUBLISHED');
    return null;
  }
  if (sizes === null) return null;
  const each = sizes.flatMap((size) => qualities.map((one) => published.tokens(size, one)));
  const all = (tokens: number) => n * (tokens + partialImages * PARTIAL_IMAGE_TOKENS);
  return { min: all(Math.min(...each)), max: all(Math.max(...each)) };
}
