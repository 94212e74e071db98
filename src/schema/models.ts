import { type EnumParameterName, PARAMETER_ROWS } from '../edits/parameters.ts';
import type { EditModel } from '../models/model.ts';
import type { ModelStanding, ModelState } from '../models/model-standing.ts';
import { restrictModels } from '../models/models.ts';
import type { SizeRule } from '../models/sizes.ts';
import { builder } from './builder.ts';
import { ModelPrices } from './cost.ts';
import { PARAMETER_ENUMS } from './enums.ts';
import { boundsOf, TokenBound } from './token-bounds.ts';

interface NamedModel extends EditModel {
  readonly isDefault: boolean;
  readonly standing: ModelStanding;
}

const State = builder.enumType('ModelState', {
  description:
    'Whether a model is still offered, by the lists of the upstreams that serve it and, at OpenAI, its announced shutdown date. No edit is rejected because of it.',
  values: {
    AVAILABLE: { description: 'No end of the model is known within the next 60 days.' },
    ENDING: { description: 'All upstreams that serve the model shut it down within 60 days.' },
    RETIRED: {
      description:
        'All upstreams that serve the model have shut it down or no longer list it. Edits probably fail.',
    },
  },
} as const satisfies { description: string; values: Record<ModelState, object> });

const EditModelObject = builder.objectRef<NamedModel>('EditModel').implement({
  description:
    'A model known to this server. Null means unknown, so the value is not validated; an empty list means that the model does not accept the parameter. Values that the server’s MODELS_FILE adds and an enum lacks are omitted, because no request can contain them. Other models are forwarded too, unless the server allows only certain models.',
  fields: (t) => ({
    id: t.exposeString('id', {
      description: 'Name of the model, for use as `EditImageInput.model`.',
    }),
    isDefault: t.exposeBoolean('isDefault', {
      description: 'Whether this model is used if `EditImageInput.model` is omitted.',
    }),
    sizes: t.field({
      type: ['ImageSize'],
      nullable: true,
      description: 'Accepted sizes. Null if unknown, or if `flexibleSizes` applies.',
      resolve: ({ sizes }) => (sizes?.kind === 'listed' ? [...sizes.sizes] : null),
    }),
    flexibleSizes: t.field({
      type: FlexibleSizes,
      nullable: true,
      description:
        'Limits on the size of a model without a fixed list of sizes. Null if unknown, or if `sizes` applies.',
      resolve: ({ sizes }) => (sizes?.kind === 'flexible' ? sizes : null),
    }),
    shutdownDate: t.field({
      type: 'Date',
      nullable: true,
      description:
        'Date on which the model is shut down, as the upstreams list it; otherwise the date on which OpenAI shuts it down, which compatible servers need not follow. Null if no date is announced. The model is not rejected after this date.',
      resolve: ({ standing }) => standing.shutdownDate,
    }),
    isListed: t.boolean({
      nullable: true,
      description:
        'Whether an upstream that serves the model lists it or a dated snapshot of it. Null if the lists are not known.',
      resolve: ({ standing }) => standing.isListed,
    }),
    state: t.field({
      type: State,
      description: 'Whether the model is still offered.',
      resolve: ({ standing }) => standing.state,
    }),
    maxImages: t.exposeInt('maxImages', {
      description: 'Maximum number of input images of one edit.',
    }),
    maxN: t.exposeInt('maxN', { description: 'Maximum number of output images of one edit.' }),
    maxPartialImages: t.exposeInt('maxPartialImages', {
      description:
        'Maximum number of partial images for each output image. 0 if the model does not support streaming.',
    }),
    maxPromptCharacters: t.exposeInt('maxPromptCharacters', {
      description: 'Maximum length of the prompt in characters.',
    }),
    prices: t.field({
      type: [ModelPrices],
      description: 'Token prices, oldest version first. Empty if unknown.',
      resolve: ({ prices }) => [...prices],
    }),
    bounds: t.field({
      type: [TokenBound],
      description:
        'Upper bounds on the tokens of an edit, from which limits on COST and TOKENS compute reservations. Empty if unknown; edits under such a limit then cannot use the model.',
      resolve: boundsOf,
    }),
  }),
});

// A MODELS_FILE can have values that an enum lacks. No request can contain them.
builder.objectFields(EditModelObject, (t) =>
  Object.fromEntries(
    PARAMETER_ROWS.flatMap(([name, row]) => {
      if (row.type !== 'enum' || row.limit === undefined) return [];
      const { limit, values } = row;
      const field = t.field({
        type: [PARAMETER_ENUMS[name as EnumParameterName]],
        nullable: true,
        description: `Accepted values of \`EditImageInput.${name}\`.`,
        resolve: (model) => model[limit]?.filter((value) => Object.hasOwn(values, value)) ?? null,
      });
      return [[limit, field]];
    }),
  ),
);

const FlexibleSizes = builder.objectRef<SizeRule>('FlexibleSizes').implement({
  description: 'The size limits of a model that accepts any size within them.',
  fields: (t) => ({
    multipleOf: t.exposeInt('multipleOf', {
      description: 'Width and height must be multiples of this number of pixels.',
    }),
    maxRatio: t.exposeFloat('maxRatio', {
      description: 'Maximum ratio of the longer edge to the shorter edge.',
    }),
    maxLongEdge: t.exposeInt('maxLongEdge', {
      description: 'Maximum length of the longer edge in pixels.',
    }),
    maxShortEdge: t.int({
      description: 'Maximum length of the shorter edge in pixels, taking `maxPixels` into account.',
      resolve: ({ maxShortEdge, maxPixels, multipleOf }) =>
        Math.min(maxShortEdge, Math.floor(Math.sqrt(maxPixels) / multipleOf) * multipleOf),
    }),
    minPixels: t.exposeInt('minPixels', {
      description: 'Minimum number of pixels (width times height).',
    }),
    maxPixels: t.int({
      nullable: true,
      description:
        'Maximum number of pixels (width times height). Null if only the edges are limited.',
      resolve: ({ maxPixels }) => (Number.isFinite(maxPixels) ? maxPixels : null),
    }),
  }),
});

builder.queryField('models', (t) =>
  t.field({
    type: [EditModelObject],
    description:
      'The models that this server knows, and that it and the viewer’s credential allow.',
    resolve: (_, __, { models, viewer }) =>
      restrictModels(models, viewer.allowedModels)
        .list()
        .map((model) => ({
          ...model,
          isDefault: model.id === models.default,
          standing: models.standing(model.id),
        })),
  }),
);
