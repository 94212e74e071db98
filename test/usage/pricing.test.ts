import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDecimal } from '../../src/models/decimal.ts';
import { createKnownModels } from '../../src/models/models.ts';
import { createPriceTable, PRICE_FRACTION_DIGITS, TOKEN_KINDS } from '../../src/models/prices.ts';
import type { RawUsage } from '../../src/models/raw-usage.ts';
import { costOf, priceKinds, priceUsage } from '../../src/usage/pricing.ts';

const usd = (text: string) => parseDecimal(text, PRICE_FRACTION_DIGITS);
const PRICES = {
  textInput: usd('5.00'),
  cachedTextInput: usd('1.25'),
  imageInput: usd('10.00'),
  cachedImageInput: usd('2.50'),
  textOutput: usd('7.00'),
  imageOutput: usd('40.00'),
};

/** What an edits API answers that says nothing but the two sums. */
const SUMS = {
  inputTokens: 0,
  inputTextTokens: null,
  inputImageTokens: null,
  inputCachedTokens: null,
  inputCachedTextTokens: null,
  inputCachedImageTokens: null,
  outputTokens: 0,
  outputTextTokens: null,
  outputImageTokens: null,
} satisfies RawUsage;

const input = (text: number, image: number) => ({
  inputTokens: text + image,
  inputTextTokens: text,
  inputImageTokens: image,
});

describe('the cost of usage', () => {
  it('is what each kind of its tokens costs, in micro-dollars', () => {
    const usage = { ...SUMS, ...input(100, 323), outputTokens: 1_056 };
    expect(costOf(usage, PRICES)).toBe(100n * 5n + 323n * 10n + 1_056n * 40n);
  });

  it('counts output without details as images, and with details by kind', () => {
    expect(costOf({ ...SUMS, outputTokens: 100 }, PRICES)).toBe(4_000n);
    const details = { outputTokens: 100, outputTextTokens: 30, outputImageTokens: 70 };
    expect(costOf({ ...SUMS, ...details }, PRICES)).toBe(30n * 7n + 70n * 40n);
  });

  it('takes cached tokens out of the input, and prices them as cached', () => {
    const usage = {
      ...SUMS,
      ...input(100, 1_000),
      inputCachedTokens: 840,
      inputCachedTextTokens: 40,
      inputCachedImageTokens: 800,
    };
    expect(costOf(usage, PRICES)).toBe(60n * 5n + 50n + 200n * 10n + 2_000n);
  });

  it('tells the kind of cached tokens by the other, or by the only kind of input there is', () => {
    const whole = { ...SUMS, ...input(100, 1_000), inputCachedTokens: 50 };
    expect(costOf({ ...whole, inputCachedTextTokens: 50 }, PRICES)).toBe(
      50n * 5n + 62n + 10_000n + 1n,
    );
    expect(costOf({ ...SUMS, ...input(0, 1_000), inputCachedTokens: 50 }, PRICES)).toBe(
      950n * 10n + 125n,
    );
  });

  it('is unknown when nobody says which of the input was cached', () => {
    expect(costOf({ ...SUMS, ...input(100, 1_000), inputCachedTokens: 50 }, PRICES)).toBeNull();
  });

  it('is unknown without the kinds of input, unless both cost the same', () => {
    const usage = { ...SUMS, inputTokens: 100 };
    expect(costOf(usage, PRICES)).toBeNull();
    expect(costOf(usage, { ...PRICES, imageInput: PRICES.textInput })).toBe(500n);
    expect(costOf({ ...usage, inputTextTokens: 20 }, PRICES)).toBe(20n * 5n + 80n * 10n);
  });

  it.each([
    ['more of a kind than of all', { ...input(10, 20), inputTokens: 25 }],
    ['more cached than there was', { ...input(10, 20), inputCachedTokens: 31 }],
    ['more cached of a kind than there was', { ...input(10, 20), inputCachedTextTokens: 11 }],
    ['cached tokens of no input', { inputCachedTokens: 1 }],
    ['more images than output', { outputTokens: 5, outputImageTokens: 6 }],
  ])('is unknown when the numbers contradict each other: %s', (_, wrong) => {
    expect(costOf({ ...SUMS, ...wrong }, PRICES)).toBeNull();
  });

  it.each(TOKEN_KINDS)('is unknown when %s has tokens and no price, and known without', (kind) => {
    const usage = {
      ...SUMS,
      ...input(100, 100),
      inputCachedTokens: 20,
      inputCachedTextTokens: 10,
      inputCachedImageTokens: 10,
      outputTokens: 20,
      outputTextTokens: 10,
      outputImageTokens: 10,
    };
    const prices = { ...PRICES, [kind]: null };
    expect(costOf(usage, PRICES)).not.toBeNull();
    expect(costOf(usage, prices)).toBeNull();
    expect(costOf(SUMS, prices)).toBe(0n);
  });

  it('is rounded half up, once, at the end', () => {
    const prices = { ...PRICES, textInput: usd('0.25'), imageOutput: usd('0.25') };
    const usage = (tokens: number) => ({ ...SUMS, ...input(tokens, 0), outputTokens: 1 });
    expect(costOf(usage(0), prices)).toBe(0n);
    expect(costOf(usage(1), prices)).toBe(1n);
    expect(costOf(usage(4), prices)).toBe(1n);
    expect(costOf(usage(5), prices)).toBe(2n);
  });
});

/** Text, cached text, images, cached images, output text and images; each at most a billion. */
const counts = fc.tuple(
  ...Array.from({ length: 6 }, () => fc.integer({ min: 0, max: 300_000_000 })),
);
const price = fc.bigInt(0n, 10n ** 13n);
const prices = fc.record({
  textInput: price,
  cachedTextInput: price,
  imageInput: price,
  cachedImageInput: price,
  textOutput: price,
  imageOutput: price,
});

function usageOf([
  text = 0,
  cachedText = 0,
  image = 0,
  cachedImage = 0,
  out = 0,
  drawn = 0,
]: number[]) {
  return {
    ...input(text + cachedText, image + cachedImage),
    inputCachedTokens: cachedText + cachedImage,
    inputCachedTextTokens: cachedText,
    inputCachedImageTokens: cachedImage,
    outputTokens: out + drawn,
    outputTextTokens: out,
    outputImageTokens: drawn,
  } satisfies RawUsage;
}

describe('for any usage and prices', () => {
  it('the cost is the exact sum, at most half a micro-dollar away from it', () => {
    fc.assert(
      fc.property(counts, prices, (tokens, rates) => {
        const rate = [
          rates.textInput,
          rates.cachedTextInput,
          rates.imageInput,
          rates.cachedImageInput,
          rates.textOutput,
          rates.imageOutput,
        ];
        const exact = tokens.reduce((sum, count, i) => sum + BigInt(count) * (rate[i] ?? 0n), 0n);
        const cost = costOf(usageOf(tokens), rates) ?? -1n;
        const distance = 2n * (cost * 10n ** BigInt(PRICE_FRACTION_DIGITS) - exact);
        const unit = 10n ** BigInt(PRICE_FRACTION_DIGITS);
        expect(distance > -unit && distance <= unit).toBe(true);
      }),
    );
  });

  it('the kinds of tokens are all of them, and cost what the usage does', () => {
    fc.assert(
      fc.property(counts, prices, (tokens, rates) => {
        const usage = usageOf(tokens);
        const kinds = priceKinds(usage, rates);
        const all = kinds.reduce((sum, one) => sum + one.tokens, 0);
        expect(all).toBe(usage.inputTokens + usage.outputTokens);
        const microUsd = kinds.reduce((sum, { usd }) => sum + (usd ?? Number.NaN) * 1e6, 0);
        const cost = Number(costOf(usage, rates));
        expect(Math.abs(microUsd - cost)).toBeLessThanOrEqual(0.51 + cost * 1e-9);
      }),
    );
  });

  it('what a part does not tell is told by the rest of it', () => {
    fc.assert(
      fc.property(counts, prices, (tokens, rates) => {
        const usage = usageOf(tokens);
        const less = {
          ...usage,
          inputImageTokens: null,
          inputCachedTextTokens: null,
          outputTextTokens: null,
        };
        expect(costOf(less, rates)).toBe(costOf(usage, rates));
      }),
    );
  });

  it('more tokens never cost less', () => {
    fc.assert(
      fc.property(counts, counts, prices, (some, more, rates) => {
        const both = some.map((count, i) => count + (more[i] ?? 0));
        expect((costOf(usageOf(both), rates) ?? 0n) >= (costOf(usageOf(some), rates) ?? 0n)).toBe(
          true,
        );
      }),
    );
  });
});

describe('the price of usage', () => {
  const usage = { ...SUMS, ...input(100, 323), outputTokens: 1_056 };
  const table = createPriceTable((model) => createKnownModels().get(model).prices);

  it('names the version of the prices of its time', () => {
    expect(priceUsage(table, 'gpt-image-1', usage, new Date('2026-11-01'))).toEqual({
      amountMicroUsd: 45_970n,
      priceVersion: 'openai-gpt-image-1-2025-04',
    });
  });

  it('is unknown before the first version, and of a model without prices', () => {
    expect(priceUsage(table, 'gpt-image-1', usage, new Date('2025-04-22'))).toBeNull();
    expect(priceUsage(table, 'house-model', usage, new Date('2026-11-01'))).toBeNull();
  });
});
