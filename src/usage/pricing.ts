import {
  type PricedTokens,
  type PriceTable,
  type PriceVersion,
  priceTokens,
} from '../models/prices.ts';
import type { RawUsage } from '../models/raw-usage.ts';

export interface PricedUsage {
  readonly amountMicroUsd: bigint;
  readonly priceVersion: string;
}

/** Cost of usage at the prices of its time. Null if unknown, which is never 0. */
export function priceUsage(
  table: PriceTable,
  model: string,
  usage: RawUsage,
  time: Date,
): PricedUsage | null {
  const version = table.at(model, time);
  if (version === null) return null;
  const amountMicroUsd = costOf(usage, version.prices);
  return amountMicroUsd === null ? null : { amountMicroUsd, priceVersion: version.version };
}

/**
 * In micro-dollars, rounded half up once, at the end. Null if a kind or price of tokens is unknown,
 * or if the numbers contradict each other.
 */
export function costOf(usage: RawUsage, prices: PriceVersion['prices']): bigint | null {
  const input = splitInput(usage, prices);
  const output = splitOutput(usage, prices);
  return input === null || output === null ? null : priceTokens([...input, ...output]);
}

function splitInput(usage: RawUsage, prices: PriceVersion['prices']): PricedTokens[] | null {
  const whole = split(usage.inputTokens, usage.inputTextTokens, usage.inputImageTokens);
  const cached = splitCached(usage, whole);
  if (whole === null || cached === null) return null;
  const fresh = {
    text: whole.text - cached.text,
    image: whole.image - cached.image,
    either: whole.either - cached.either,
  };
  if (Math.min(fresh.text, fresh.image, fresh.either) < 0) return null;
  return [
    [fresh.text, prices.textInput],
    [fresh.image, prices.imageInput],
    [fresh.either, common(prices.textInput, prices.imageInput)],
    [cached.text, prices.cachedTextInput],
    [cached.image, prices.cachedImageInput],
    [cached.either, common(prices.cachedTextInput, prices.cachedImageInput)],
  ];
}

/**
 * Without details, all output is images: the edits API's types call `output_tokens` "the number of
 * image tokens in the output image", and only newer models report text beside them.
 */
function splitOutput(usage: RawUsage, prices: PriceVersion['prices']): PricedTokens[] | null {
  const { outputTokens, outputTextTokens, outputImageTokens } = usage;
  if (outputTextTokens === null && outputImageTokens === null) {
    return [[outputTokens, prices.imageOutput]];
  }
  const whole = split(outputTokens, outputTextTokens, outputImageTokens);
  return (
    whole && [
      [whole.text, prices.textOutput],
      [whole.image, prices.imageOutput],
      [whole.either, common(prices.textOutput, prices.imageOutput)],
    ]
  );
}

interface Split {
  readonly text: number;
  readonly image: number;
  /** One of the two kinds, but unknown which. */
  readonly either: number;
}

/** There are two kinds, so one follows from the other. Null if they exceed the whole. */
function split(whole: number, text: number | null, image: number | null): Split | null {
  if (text === null && image === null) return { text: 0, image: 0, either: whole };
  const parts = {
    text: text ?? whole - (image ?? 0),
    image: image ?? whole - (text ?? 0),
  };
  const either = whole - parts.text - parts.image;
  return Math.min(parts.text, parts.image, either) < 0 ? null : { ...parts, either };
}

/**
 * Not reported means none: an edits API that bills cached tokens separately must report them;
 * otherwise, they are billed at the full price. Cached tokens of unknown kind have the only kind
 * there is.
 */
function splitCached(usage: RawUsage, input: Split | null): Split | null {
  const { inputCachedTextTokens: text, inputCachedImageTokens: image } = usage;
  const whole = usage.inputCachedTokens ?? (text ?? 0) + (image ?? 0);
  const cached = split(whole, text, image);
  if (cached === null || input === null || cached.either === 0) return cached;
  const kinds = [input.text, input.image, input.either].filter((tokens) => tokens > 0);
  if (kinds.length !== 1) return null;
  return {
    text: cached.text + (input.text > 0 ? cached.either : 0),
    image: cached.image + (input.image > 0 ? cached.either : 0),
    either: input.either > 0 ? cached.either : 0,
  };
}

function common(a: bigint | null, b: bigint | null): bigint | null {
  return a === b ? a : null;
}
