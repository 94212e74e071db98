import type { EditModel } from '../edits-api/models.ts';
import { builder } from './builder.ts';
import { ModelPrices } from './cost.ts';

interface NamedModel extends EditModel {
  readonly isDefault: boolean;
}

const EditModelObject = builder.objectRef<NamedModel>('EditModel').implement({
  description:
    'A model as this server knows it. Null: not known, so not checked. Models that are not listed are forwarded all the same, unless the server allows only some.',
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
      resolve: ({ id }, _, { prices }) => [...prices.of(id)],
    }),
  }),
});

type Flexible = Extract<NonNullable<EditModel['sizes']>, { kind: 'flexible' }>;

const FlexibleSizes = builder.objectRef<Flexible>('FlexibleSizes').implement({
  description: 'A model that takes any size within these limits.',
  fields: (t) => ({
    multipleOf: t.exposeInt('multipleOf', { description: 'Both edges, in pixels.' }),
    maxRatio: t.exposeFloat('maxRatio', { description: 'Longest edge over shortest edge.' }),
    maxLongEdge: t.exposeInt('maxLongEdge', { description: 'Pixels.' }),
    maxShortEdge: t.exposeInt('maxShortEdge', { description: 'Pixels.' }),
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
