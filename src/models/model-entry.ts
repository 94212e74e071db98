import { z } from 'zod';
import { type EditModel, forValueLimits, snapshotOf } from './model.ts';
import { type Prices, pricesSchema } from './prices.ts';
import { hasSizes, type ModelSizes, parseSize } from './sizes.ts';
import { inputRuleSchema, outputRuleSchema } from './token-rules.ts';

const MIB = 1024 * 1024;

/**
 * Limits for any model: the documented limits of the edits API, and this server's own protection.
 */
const UNKNOWN = {
  known: false,
  shutdownDate: null,
  sizes: null,
  autoSize: true,
  ...forValueLimits(null),
  maxImages: 16,
  maxImageBytes: null,
  maxMaskBytes: 4 * MIB,
  maxN: 10,
  maxPartialImages: 3,
  maxPromptCharacters: 32_000,
  tokens: { input: null, output: null },
} satisfies Omit<EditModel, 'id' | 'family' | 'prices'>;

/** In pixels. The maximum keeps sizes within the format WIDTHxHEIGHT that we can return. */
const edge = z.int().min(16).max(99_999);
const sizesSchema = z.union([
  z
    .array(z.string().refine((size) => parseSize(size) !== null, 'must be WIDTHxHEIGHT'))
    .min(1)
    .transform((sizes): ModelSizes => ({ kind: 'listed', sizes })),
  z
    .strictObject({
      multipleOf: z.int().min(1).max(1_024),
      maxRatio: z.number().min(1),
      maxLongEdge: edge,
      maxShortEdge: edge.optional(),
      minPixels: z.int().min(1).default(1),
      maxPixels: z.int().min(1).optional(),
    })
    .transform((rule) => ({
      ...rule,
      kind: 'flexible' as const,
      maxShortEdge: rule.maxShortEdge ?? rule.maxLongEdge,
      maxPixels: rule.maxPixels ?? Number.POSITIVE_INFINITY,
    }))
    .refine(hasSizes, 'must allow at least one size'),
]);

/** An entry of the catalogue and of MODELS_FILE; docs/models.md describes the fields. */
const entrySchema = z.strictObject({
  id: z.string().min(1),
  like: z.string().optional(),
  shutdownDate: z.iso.date('must be a date, such as 2026-12-01').nullable().optional(),
  sizes: sizesSchema.optional(),
  autoSize: z.boolean().optional(),
  ...forValueLimits(z.array(z.string().min(1)).optional()),
  maxImages: z.int().min(1).max(16).optional(),
  maxImageBytes: z.int().min(1).optional(),
  maxMaskBytes: z.int().min(1).optional(),
  maxN: z.int().min(1).max(10).optional(),
  maxPartialImages: z.int().min(0).max(3).optional(),
  maxPromptCharacters: z.int().min(1).max(32_000).optional(),
  inputTokens: inputRuleSchema.nullable().optional(),
  outputTokens: outputRuleSchema.nullable().optional(),
  prices: pricesSchema.optional(),
});

export const entriesSchema = z.array(entrySchema);

/** Models by id. */
export type Catalogue = ReadonlyMap<string, EditModel>;

/** An entry refers to an unknown model in `like`. */
export class UnknownBaseError extends Error {}

/**
 * Adds entries to a catalogue, in order. Omitted fields come from the model in `like`, or else from
 * the model with the same id. A shutdown date is not inherited from another model. `prices` replace
 * those of a model's entry, and are inherited in their place.
 * @throws UnknownBaseError
 */
export function addEntries(
  base: Catalogue,
  entries: z.output<typeof entriesSchema>,
  prices: Prices = {},
): Catalogue {
  const models = new Map([...base].map(([id, model]) => [id, withPrices(model, prices)]));
  for (const { id, like, inputTokens, outputTokens, ...own } of entries) {
    const start = findModel(models, like ?? id);
    if (like !== undefined && start === null) {
      throw new UnknownBaseError(
        `model ${JSON.stringify(id)} has an unknown model in like: ${JSON.stringify(like)}`,
      );
    }
    const { shutdownDate, tokens, ...rest } = start ?? unknownModel(id, prices);
    models.set(
      id,
      withPrices(
        {
          ...rest,
          shutdownDate: like === undefined ? shutdownDate : null,
          tokens: {
            input: inputTokens === undefined ? tokens.input : inputTokens,
            output: outputTokens === undefined ? tokens.output : outputTokens,
          },
          ...withoutUndefined(own),
          id,
          family: id,
          known: true,
        },
        prices,
      ),
    );
  }
  return models;
}

/**
 * The model with that id, or the model of which it is a dated snapshot; null if neither is known.
 */
export function findModel(models: Catalogue, id: string): EditModel | null {
  const exact = models.get(id);
  if (exact !== undefined) return exact;
  const family = models.get(snapshotOf(id) ?? id);
  return family === undefined ? null : { ...family, id };
}

/** The limits for any model, with prices if they are known nevertheless. */
export function unknownModel(id: string, prices: Prices): EditModel {
  const family = snapshotOf(id);
  const known = prices[id] ?? (family === null ? undefined : prices[family]);
  return { ...UNKNOWN, id, family: id, prices: known ?? [] };
}

export function withPrices(model: EditModel, prices: Prices): EditModel {
  const own = prices[model.id];
  return own === undefined ? model : { ...model, prices: own };
}

/** When spread over defaults, omitted fields must not override them. */
function withoutUndefined<Values extends object>(values: Values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [Key in keyof Values]?: Exclude<Values[Key], undefined>;
  };
}
