import {
  PRICE_FRACTION_DIGITS,
  type PriceTable,
  type PriceVersion,
  priceTokens,
  type TokenKind,
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

/** A kind of tokens; `input`, `cachedInput` and `output` if it is text or images, unknown which. */
export type UsedKind = TokenKind | 'input' | 'cachedInput' | 'output';

/**
 * In micro-dollars, rounded half up once, at the end. Null if a kind or price of tokens is unknown,
 * or if the numbers contradict each other.
 */
export function costOf(usage: RawUsage, prices: PriceVersion['prices']): bigint | null {
  const kinds = splitUsage(usage);
  return kinds && priceTokens(kinds.map(([kind, tokens]) => [tokens, priceOf(kind, prices)]));
}

/** What each kind of tokens cost, not rounded. Empty if the numbers contradict each other. */
export function priceKinds(usage: RawUsage, prices: PriceVersion['prices'] | null): UsedTokens[] {
  const used = (splitUsage(usage) ?? []).filter(([, tokens]) => tokens > 0);
  return used.map(([kind, tokens]) => {
    const price = prices && priceOf(kind, prices);
    const usd = price === null ? null : (tokens * Number(price)) / USD;
    return { kind, tokens, usd };
  });
}

export interface UsedTokens {
  readonly kind: UsedKind;
  readonly tokens: number;
  /** Null if the price is unknown. */
  readonly usd: number | null;
}

/** Units of a price in a US dollar. */
const USD = 10 ** (PRICE_FRACTION_DIGITS + 6);

/** Null if the numbers contradict each other. */
function splitUsage(usage: RawUsage): [UsedKind, number][] | null {
  const input = splitInput(usage);
  const output = splitOutput(usage);
  return input === null || output === null ? null : [...input, ...output];
}

/** Tokens of either kind have a price if it is the same for both. */
function priceOf(kind: UsedKind, prices: PriceVersion['prices']): bigint | null {
  switch (kind) {
    case 'input':
      return common(prices.textInput, prices.imageInput);
    case 'cachedInput':
      return common(prices.cachedTextInput, prices.cachedImageInput);
    case 'output':
      return common(prices.textOutput, prices.imageOutput);
    default:
      return prices[kind];
  }
}

function splitInput(usage: RawUsage): [UsedKind, number][] | null {
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
    ['textInput', fresh.text],
    ['imageInput', fresh.image],
    ['input', fresh.either],
    ['cachedTextInput', cached.text],
    ['cachedImageInput', cached.image],
    ['cachedInput', cached.either],
  ];
}

/**
 * Without details, all output is images: the edits API's types call `output_tokens` "the number of
 * image tokens in the output image", and only newer models report text beside them.
 */
function splitOutput(usage: RawUsage): [UsedKind, number][] | null {
  const { outputTokens, outputTextTokens, outputImageTokens } = usage;
  if (outputTextTokens === null && outputImageTokens === null) {
    return [['imageOutput', outputTokens]];
  }
  const whole = split(outputTokens, outputTextTokens, outputImageTokens);
  return (
    whole && [
      ['textOutput', whole.text],
      ['imageOutput', whole.image],
      ['output', whole.either],
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
