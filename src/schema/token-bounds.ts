import { readRaises } from '../limits/raised-bounds.ts';
import type { EditModel } from '../models/model.ts';
import type { BoundKind, Raises } from '../models/token-bound.ts';
import { type InputRule, type OutputRule, safetyFactor } from '../models/token-rules.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';
import { ImageQuality } from './enums.ts';

interface TokenBoundShape {
  readonly kind: Exclude<BoundKind, 'textInput'>;
  readonly rule: InputRule | OutputRule;
  readonly raises: Raises;
}

const TokenBoundKind = builder.enumType('TokenBoundKind', {
  description: 'Kind of tokens that a bound limits.',
  values: {
    IMAGE_INPUT: {
      value: 'imageInput',
      description: 'Tokens of the input images. The mask counts as one more input image.',
    },
    OUTPUT: {
      value: 'output',
      description: 'Tokens of the output, including partial images and text.',
    },
  } satisfies Record<string, { value: TokenBoundShape['kind']; description: string }>,
});

const TokenBoundBasis = builder.enumType('TokenBoundBasis', {
  description: 'Source of a bound.',
  values: {
    PUBLISHED: { value: 'published', description: 'Published by the provider of the model.' },
    MEASURED: {
      value: 'measured',
      description: 'The highest usage observed; nothing is published.',
    },
    ASSUMED: {
      value: 'assumed',
      description: 'Taken from another model; nothing is published or measured.',
    },
  } satisfies Record<string, { value: InputRule['basis']; description: string }>,
});

type Formula = Exclude<TokenBoundShape['rule']['formula'], 'perImage' | 'figures'>;

const TokenBoundFormula = builder.enumType('TokenBoundFormula', {
  description: 'Published formula that a bound is computed by.',
  values: {
    TILES: { value: 'tiles', description: 'Input: tokens for each tile of 512 pixels.' },
    TABLE: { value: 'table', description: 'Output: a table of sizes and qualities.' },
    GRID: { value: 'grid', description: 'Output: cells of a grid, by quality.' },
  } satisfies Record<string, { value: Formula; description: string }>,
});

interface Figure {
  readonly quality: string | null;
  readonly size: string | null;
  readonly tokens: number;
}

const TokenFigure = builder.objectRef<Figure>('TokenFigure').implement({
  description: 'Maximum number of tokens of one image, before the safety factor is applied.',
  fields: (t) => ({
    quality: t.expose('quality', {
      type: ImageQuality,
      nullable: true,
      description: 'Quality that the figure applies to. Null for any quality.',
    }),
    size: t.expose('size', {
      type: 'ImageSize',
      nullable: true,
      description:
        'Size that the figure applies to, as WIDTHxHEIGHT. Null for any size. Other sizes are computed in proportion.',
    }),
    tokens: t.exposeInt('tokens', { description: 'Maximum number of tokens.' }),
  }),
});

export const TokenBound = builder.objectRef<TokenBoundShape>('TokenBound').implement({
  description: 'Upper bound on the tokens of one kind that an edit may use.',
  fields: (t) => ({
    kind: t.expose('kind', { type: TokenBoundKind, description: 'Kind of tokens.' }),
    basis: t.field({
      type: TokenBoundBasis,
      description: 'Source of the bound.',
      resolve: ({ rule }) => rule.basis,
    }),
    safetyFactor: t.float({
      description: 'Factor that the formula or the figures are multiplied by.',
      resolve: ({ rule }) => safetyFactor(rule),
    }),
    formula: t.field({
      type: TokenBoundFormula,
      nullable: true,
      description: 'Formula of the bound. Null if `figures` apply.',
      resolve: ({ rule: { formula } }) =>
        formula === 'perImage' || formula === 'figures' ? null : formula,
    }),
    figures: t.field({
      type: [TokenFigure],
      description: 'Figures that the bound is computed from. Empty if `formula` applies.',
      resolve: ({ rule }): Figure[] => {
        if (rule.formula === 'figures') return rule.figures;
        if (rule.formula !== 'perImage') return [];
        return [{ quality: null, size: null, tokens: rule.tokens }];
      },
    }),
    note: t.string({
      nullable: true,
      description: 'Additional notes.',
      resolve: ({ rule }) => rule.note ?? null,
    }),
    raisedBy: t.float({
      nullable: true,
      description:
        'Factor by which the bound is raised in reservations because usage exceeded it. Null if usage never exceeded the bound.',
      resolve: ({ kind, raises }) => (raises[kind] > 1 ? raises[kind] : null),
    }),
  }),
});

export async function boundsOf(
  model: EditModel,
  _: unknown,
  { prisma, sharedReads }: Context,
): Promise<TokenBoundShape[]> {
  const { input, output } = model.tokens;
  if (input === null || output === null) return [];
  const raisesOf = await sharedReads.once('raised bounds', () => readRaises(prisma));
  const raises = raisesOf(model);
  return [
    { kind: 'imageInput', rule: input, raises },
    { kind: 'output', rule: output, raises },
  ];
}
