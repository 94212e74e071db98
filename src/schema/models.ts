import type { EditModel } from '../models/model.ts';
import type { SizeRule } from '../models/sizes.ts';
import { builder } from './builder.ts';
import { ModelPrices } from './cost.ts';
import { boundsOf, TokenBound } from './token-bounds.ts';

interface NamedModel extends EditModel {
  readonly isDefault: boolean;
}

const EditModelObject = builder.objectRef<NamedModel>('EditModel').implement({
  description:
    'A model as this server knows it. Null: not known, so not checked; an empty list: the model does not accept the parameter. Models that are not listed are forwarded all the same, unless the server allows only some.',
  fields: (t) => ({
    id: t.exposeString('id', { description: 'The name to give as `EditImageInput.model`.' }),
    isDefault: t.exposeBoolean('isDefault', { description: 'Used when no model is named.' }),
    sizes: t.stringList({
      nullable: true,
      description: 'The sizes it takes; null when not known, or when `flexibleSizes` says.',
      resolve: ({ sizes }) => (sizes?.kind === 'listed' ? [...sizes.sizes] : null),
    }),
    flexibleSizes: t.field({
      type: FlexibleSizes,
      nullable: true,
      description: 'The rule for its sizes, when they are not a list.',
      resolve: ({ sizes }) => (sizes?.kind === 'flexible' ? sizes : null),
    }),
    qualities: t.exposeStringList('qualities', {
      nullable: true,
      description: 'Qualities, in the edits API’s spelling.',
    }),
    backgrounds: t.exposeStringList('backgrounds', {
      nullable: true,
      description: 'Backgrounds, in the edits API’s spelling.',
    }),
    outputFormats: t.exposeStringList('outputFormats', {
      nullable: true,
      description: 'Output formats, in the edits API’s spelling.',
    }),
    inputFidelities: t.exposeStringList('inputFidelities', {
      nullable: true,
      description: 'Input fidelities, in the edits API’s spelling.',
    }),
    complexities: t.exposeStringList('complexities', {
      nullable: true,
      description: 'Values of the form field `complexity`, which `extraParams` may have.',
    }),
    shutdownDate: t.exposeString('shutdownDate', {
      nullable: true,
      description:
        'The day on which OpenAI shuts the model down, as YYYY-MM-DD; null: none is announced. Compatible servers may keep it, so it is not rejected here.',
    }),
    maxImages: t.exposeInt('maxImages', { description: 'Input pictures of one edit.' }),
    maxN: t.exposeInt('maxN', { description: 'Output pictures of one edit.' }),
    maxPartialImages: t.exposeInt('maxPartialImages', {
      description: 'Pictures on the way, for each output picture; 0: it does not stream.',
    }),
    maxPromptCharacters: t.exposeInt('maxPromptCharacters', {
      description: 'Length of the prompt.',
    }),
    prices: t.field({
      type: [ModelPrices],
      description: 'What its tokens cost, oldest version first; none: not known.',
      resolve: ({ prices }) => [...prices],
    }),
    bounds: t.field({
      type: [TokenBound],
      description:
        'The most tokens that an edit may use, which a budget reserves; none: not known, so that with a budget its edits are rejected.',
      resolve: boundsOf,
    }),
  }),
});

const FlexibleSizes = builder.objectRef<SizeRule>('FlexibleSizes').implement({
  description: 'A model that takes any size within these limits.',
  fields: (t) => ({
    multipleOf: t.exposeInt('multipleOf', { description: 'Both edges, in pixels.' }),
    maxRatio: t.exposeFloat('maxRatio', { description: 'Longest edge over shortest edge.' }),
    maxLongEdge: t.exposeInt('maxLongEdge', { description: 'Pixels.' }),
    maxShortEdge: t.int({
      description: 'Pixels: what `maxPixels` leaves for a square image, if that is less.',
      resolve: ({ maxShortEdge, maxPixels, multipleOf }) =>
        Math.min(maxShortEdge, Math.floor(Math.sqrt(maxPixels) / multipleOf) * multipleOf),
    }),
    minPixels: t.exposeInt('minPixels', { description: 'Width times height.' }),
    maxPixels: t.int({
      nullable: true,
      description: 'Width times height; null: what the edges leave.',
      resolve: ({ maxPixels }) => (Number.isFinite(maxPixels) ? maxPixels : null),
    }),
  }),
});

builder.queryField('models', (t) =>
  t.field({
    type: [EditModelObject],
    description: 'The models that this server knows and allows.',
    resolve: (_, __, { models }) =>
      models.list().map((model) => ({ ...model, isDefault: model.id === models.default })),
  }),
);
