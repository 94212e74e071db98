import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { ConfigError } from '../errors.ts';
import { parseDecimal } from './decimal.ts';

/**
 * Kinds of tokens that are billed separately. Cached tokens are input that the edits API has seen
 * before.
 */
export const TOKEN_KINDS = [
  'textInput',
  'cachedTextInput',
  'imageInput',
  'cachedImageInput',
  'textOutput',
  'imageOutput',
] as const;

export type TokenKind = (typeof TOKEN_KINDS)[number];

/** Fraction digits of a price: US dollars per million tokens, which is micro-dollars per token. */
export const PRICE_FRACTION_DIGITS = 9;

/** Version of a charge whose amount an admin has set. Versions of prices have other names. */
export const MANUAL_PRICE_VERSION = 'manual';

/** The prices of a model from a date until the next version. */
export interface PriceVersion {
  /** Identifies these prices on every charge that uses them. */
  readonly version: string;
  readonly from: Date;
  /** Where they were published. */
  readonly source: string;
  readonly note: string | null;
  /** 10⁻⁹ micro-dollars per token; null if unknown. */
  readonly prices: Readonly<Record<TokenKind, bigint | null>>;
}

export interface PriceTable {
  /** The prices of a model at a time; null if unknown. */
  at(model: string, time: Date): PriceVersion | null;
}

const price = z
  .string()
  .refine(
    (text) => parseDecimal(text, PRICE_FRACTION_DIGITS) !== null,
    `must be a decimal string with at most ${PRICE_FRACTION_DIGITS} fraction digits, such as "1.25"`,
  )
  .transform((text) => parseDecimal(text, PRICE_FRACTION_DIGITS))
  .nullish()
  .transform((value) => value ?? null);

const versionSchema = z
  .strictObject({
    version: z
      .string()
      .min(1)
      .max(64)
      .refine((name) => name !== MANUAL_PRICE_VERSION, 'must not be the reserved name manual'),
    from: z.union(
      [z.iso.date(), z.iso.datetime({ offset: true })],
      'must be a date, such as 2026-04-21 (from 0:00 UTC), or a date and time with its offset',
    ),
    source: z.string().min(1),
    note: z.string().min(1).optional(),
    usdPerMillionTokens: z.strictObject({
      textInput: price,
      cachedTextInput: price,
      imageInput: price,
      cachedImageInput: price,
      textOutput: price,
      imageOutput: price,
    }),
  })
  .transform(
    ({ version, from, source, note, usdPerMillionTokens: prices }): PriceVersion => ({
      version,
      from: new Date(from),
      source,
      note: note ?? null,
      prices,
    }),
  );

/** The price versions of one model in any order; parsed, oldest first. */
export const pricesSchema = z
  .array(versionSchema)
  .refine(
    (versions) => isUnique(versions.map(({ version }) => version)),
    'must not have two versions with the same name',
  )
  .refine(
    (versions) => isUnique(versions.map(({ from }) => from.getTime())),
    'must not have two versions with the same start',
  )
  .transform((versions) => versions.toSorted((a, b) => a.from.getTime() - b.from.getTime()));

const fileSchema = z.record(z.string().min(1), pricesSchema);

/** Price versions by model. */
export type Prices = Readonly<Record<string, readonly PriceVersion[]>>;

/** @param pricesOf Returns all price versions of a model, oldest first. */
export function createPriceTable(pricesOf: (model: string) => readonly PriceVersion[]): PriceTable {
  return { at: (model, time) => pricesOf(model).findLast(({ from }) => from <= time) ?? null };
}

/**
 * Reads PRICES_FILE: see docs/pricing.md.
 * @throws ConfigError if the file cannot be read or is invalid.
 */
export async function readPricesFile(path: string): Promise<Prices> {
  try {
    return fileSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new ConfigError([`PRICES_FILE ${JSON.stringify(path)}: ${reason}`]);
  }
}

/** Tokens with one price, in 10⁻⁹ micro-dollars each. */
export type PricedTokens = readonly [tokens: number, price: bigint | null];

/** In micro-dollars, rounded half up once, at the end. Null if any price is unknown. */
export function priceTokens(items: readonly PricedTokens[]): bigint | null {
  let sum = 0n;
  for (const [tokens, price] of items) {
    if (tokens === 0) continue;
    if (price === null) return null;
    sum += BigInt(tokens) * price;
  }
  const unit = 10n ** BigInt(PRICE_FRACTION_DIGITS);
  return (2n * sum + unit) / (2n * unit);
}

function isUnique(values: readonly unknown[]): boolean {
  return new Set(values).size === values.length;
}
