import { z } from 'zod';
import { gridOutputTokens } from './grid-tokens.ts';
import {
  inputImageTokens,
  outputImageTokens,
  TABLE_QUALITIES,
  type TokenInputFidelity,
} from './image-tokens.ts';
import { type PixelSize, parseSize } from './sizes.ts';

/** Factor for unpublished bounds, unless their rule has its own. */
export const SAFETY_FACTOR = 2;

const tokens = z.int().min(1).max(1_000_000);
const common = {
  /**
   * `published` by the API's owner; `measured` on this model; `assumed` from another model.
   * Estimates use only published rules; bounds use any, with its safety factor.
   */
  basis: z.enum(['published', 'measured', 'assumed']),
  /** @default 1 for a published rule, else SAFETY_FACTOR */
  safetyFactor: z.number().min(1).max(100).optional(),
  note: z.string().min(1).optional(),
};

/** Every image takes at most this many tokens, whatever its size. */
const perImage = z.strictObject({ ...common, formula: z.literal('perImage'), tokens });

/** Tokens of one input image. */
export const inputRuleSchema = z.discriminatedUnion('formula', [
  /** gpt-image-1's published tiles: see inputImageTokens. */
  z.strictObject({ ...common, formula: z.literal('tiles') }),
  perImage,
]);

/** Tokens of one output image. */
export const outputRuleSchema = z.discriminatedUnion('formula', [
  /** gpt-image-1's published table: see outputImageTokens. */
  z.strictObject({ ...common, formula: z.literal('table') }),
  /** Cells along the longer edge by quality: see gridOutputTokens. */
  z.strictObject({
    ...common,
    formula: z.literal('grid'),
    cells: z.record(z.string().min(1), z.int().min(1).max(1_000)),
  }),
  /** Measured maximums at some sizes and qualities; `auto` is the model's own choice. */
  z.strictObject({
    ...common,
    formula: z.literal('figures'),
    figures: z
      .array(
        z.strictObject({
          quality: z.enum(['low', 'medium', 'high', 'xhigh', 'max', 'auto']),
          size: z.string().refine((size) => parseSize(size) !== null, 'must be WIDTHxHEIGHT'),
          tokens,
        }),
      )
      .min(1),
  }),
  perImage,
]);

export type InputRule = z.output<typeof inputRuleSchema>;
export type OutputRule = z.output<typeof outputRuleSchema>;

/** Factor for a bound by this rule. */
export function safetyFactor({ basis, safetyFactor: own }: InputRule | OutputRule): number {
  return own ?? (basis === 'published' ? 1 : SAFETY_FACTOR);
}

/** Tokens of one input image, without the safety factor. */
export function inputTokens(
  rule: InputRule,
  size: PixelSize,
  fidelity: TokenInputFidelity,
): number {
  return rule.formula === 'perImage' ? rule.tokens : inputImageTokens(size, fidelity);
}

/**
 * Minimum and maximum tokens of one output image, without the safety factor; `auto` is any of the
 * rule's qualities. Null if the rule does not have this quality.
 */
export function outputTokens(
  rule: OutputRule,
  size: PixelSize,
  quality: string,
): { min: number; max: number } | null {
  switch (rule.formula) {
    case 'perImage':
      return { min: rule.tokens, max: rule.tokens };
    case 'figures': {
      const most = mostByFigures(rule.figures, size, quality);
      return most === null ? null : { min: most, max: most };
    }
    case 'table':
      return range(TABLE_QUALITIES, quality, (one) => outputImageTokens(size, one));
    case 'grid':
      return range(Object.keys(rule.cells), quality, (one) =>
        gridOutputTokens(size, rule.cells[one] ?? 0),
      );
  }
}

function range<Quality extends string>(
  qualities: readonly Quality[],
  asked: string,
  tokensOf: (quality: Quality) => number,
): { min: number; max: number } | null {
  const each = qualities.filter((one) => asked === 'auto' || one === asked).map(tokensOf);
  return each.length === 0 ? null : { min: Math.min(...each), max: Math.max(...each) };
}

/** Cheapest first; `auto` may be any of them. */
const RANKS = ['low', 'medium', 'high', 'xhigh', 'max', 'auto'];

type Figures = Extract<OutputRule, { formula: 'figures' }>['figures'];

/**
 * A quality without figures uses those of the next higher quality, or else of the highest. A size
 * below the smallest figure counts as that one, a size between two figures is interpolated, and a
 * larger size is proportional to its pixels.
 */
function mostByFigures(figures: Figures, size: PixelSize, quality: string): number | null {
  const rank = RANKS.indexOf(quality);
  if (rank < 0) return null;
  const known = RANKS.filter((one) => figures.some((figure) => figure.quality === one));
  const higher = known.filter((one) => RANKS.indexOf(one) >= rank);
  const usable = higher.length > 0 ? higher : known.slice(-1);
  const each = usable.map((one) =>
    atPixels(
      figures.filter((figure) => figure.quality === one),
      size,
    ),
  );
  return Math.min(...each);
}

function atPixels(figures: Figures, { width, height }: PixelSize): number {
  const points = figures
    .map(({ size, tokens: seen }) => {
      const parsed = parseSize(size);
      return { pixels: parsed === null ? 0 : parsed.width * parsed.height, tokens: seen };
    })
    .sort((a, b) => a.pixels - b.pixels);
  const pixels = width * height;
  const below = points.findLast((point) => point.pixels <= pixels);
  const above = points.find((point) => point.pixels >= pixels);
  if (below === undefined) return above?.tokens ?? 0;
  if (above === undefined) return Math.ceil((below.tokens * pixels) / below.pixels);
  if (above.pixels === below.pixels) return Math.max(below.tokens, above.tokens);
  const share = (pixels - below.pixels) / (above.pixels - below.pixels);
  return Math.ceil(below.tokens + share * (above.tokens - below.tokens));
}
