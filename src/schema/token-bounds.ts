import type { EditModel } from '../models/model.ts';
import type { BoundKind, Raises } from '../models/token-bound.ts';
import { type InputRule, type OutputRule, safetyFactor } from '../models/token-rules.ts';
import { readRaises } from '../usage/raised-bounds.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';

interface TokenBoundShape {
  readonly kind: Exclude<BoundKind, 'textInput'>;
  readonly rule: InputRule | OutputRule;
  readonly raises: Raises;
}

const TokenBoundKind = builder.enumType('TokenBoundKind', {
  description: 'Which tokens of an edit a bound is about.',
  values: {
    IMAGE_INPUT: { value: 'imageInput', description: 'Input images, and the mask as one more.' },
    OUTPUT: { value: 'output', description: 'Output images, partial images and text included.' },
  } satisfies Record<string, { value: TokenBoundShape['kind']; description: string }>,
});

const TokenBoundBasis = builder.enumType('TokenBoundBasis', {
  description: 'Where a bound comes from.',
  values: {
    PUBLISHED: { value: 'published', description: 'The model’s owner publishes it.' },
    MEASURED: { value: 'measured', description: 'The most that was seen; nothing is published.' },
    ASSUMED: {
      value: 'assumed',
      description: 'That of another model; nothing is published or measured.',
    },
  } satisfies Record<string, { value: InputRule['basis']; description: string }>,
});

interface Figure {
  readonly quality: string | null;
  readonly size: string | null;
  readonly tokens: number;
}

const TokenFigure = builder.objectRef<Figure>('TokenFigure').implement({
  description: 'The most tokens of one image, without the safety factor.',
  fields: (t) => ({
    quality: t.exposeString('quality', {
      nullable: true,
      description: 'In the edits API’s spelling; null: any.',
    }),
    size: t.exposeString('size', {
      nullable: true,
      description: 'As WIDTHxHEIGHT; null: any. Other sizes follow in proportion.',
    }),
    tokens: t.exposeInt('tokens', { description: 'Tokens.' }),
  }),
});

export const TokenBound = builder.objectRef<TokenBoundShape>('TokenBound').implement({
  description: 'The most tokens that an edit may use, by kind.',
  fields: (t) => ({
    kind: t.expose('kind', { type: TokenBoundKind, description: 'Which tokens.' }),
    basis: t.field({
      type: TokenBoundBasis,
      description: 'Where it comes from.',
      resolve: ({ rule }) => rule.basis,
    }),
    safetyFactor: t.float({
      description: 'What the formula or the figures are multiplied by.',
      resolve: ({ rule }) => safetyFactor(rule),
    }),
    formula: t.string({
      nullable: true,
      description: '`tiles`, `table` or `grid`: see docs/models.md. Null: see `figures`.',
      resolve: ({ rule: { formula } }) =>
        formula === 'perImage' || formula === 'figures' ? null : formula,
    }),
    figures: t.field({
      type: [TokenFigure],
      description: 'What it is by, without a formula.',
      resolve: ({ rule }): Figure[] => {
        if (rule.formula === 'figures') return rule.figures;
        if (rule.formula !== 'perImage') return [];
        return [{ quality: null, size: null, tokens: rule.tokens }];
      },
    }),
    note: t.string({
      nullable: true,
      description: 'What else there is to know.',
      resolve: ({ rule }) => rule.note ?? null,
    }),
    raisedBy: t.float({
      nullable: true,
      description:
        'Usage was above the bound: since then, this many times the bound is reserved. Null: it never was.',
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
