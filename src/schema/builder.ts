import SchemaBuilder from '@pothos/core';
import ComplexityPlugin from '@pothos/plugin-complexity';
import DirectivesPlugin from '@pothos/plugin-directives';
import ErrorsPlugin from '@pothos/plugin-errors';
import FederationPlugin from '@pothos/plugin-federation';
import PrismaPlugin from '@pothos/plugin-prisma';
import RelayPlugin from '@pothos/plugin-relay';
import type { JsonObject } from '../edits/json-object.ts';
import type PrismaTypes from '../generated/pothos.ts';
import { getDatamodel } from '../generated/pothos.ts';
import type { FileUpload } from '../images/receive-image.ts';
import { fieldComplexity } from './complexity.ts';
import type { Context } from './context.ts';
import { decodeGlobalId, encodeGlobalId } from './global-id.ts';
import { loadAnyNode } from './nodes.ts';
import { SUBGRAPH_PLUGIN } from './subgraph-plugin.ts';

/** The one builder; every file beside this one adds its domain to it. */
export const builder = new SchemaBuilder<{
  Context: Context;
  PrismaTypes: PrismaTypes;
  DefaultFieldNullability: false;
  DefaultInputFieldRequiredness: false;
  Scalars: {
    Date: { Input: Date; Output: Date };
    DateTime: { Input: Date; Output: Date };
    Decimal: { Input: string; Output: string };
    ID: { Input: string; Output: string };
    ImageSize: { Input: string; Output: string };
    JSONObject: { Input: JsonObject; Output: JsonObject };
    Upload: { Input: PromiseLike<FileUpload>; Output: never };
  };
}>({
  plugins: [
    ErrorsPlugin,
    RelayPlugin,
    PrismaPlugin,
    ComplexityPlugin,
    FederationPlugin,
    DirectivesPlugin,
    SUBGRAPH_PLUGIN,
  ],
  defaultFieldNullability: false,
  prisma: {
    client: ({ prisma }) => prisma,
    dmmf: getDatamodel(),
    maxConnectionSize: 100,
    defaultConnectionSize: 20,
    onUnusedQuery: 'error',
  },
  // Limits are set where requests come in.
  complexity: { fieldComplexity },
  errors: { defaultTypes: [] },
  relay: {
    encodeGlobalID: (typename, id) => encodeGlobalId(typename, String(id)),
    decodeGlobalID: decodeGlobalId,
    cursorFieldOptions: { description: 'Where this edge stands; for `after` and `before`.' },
    nodeQueryOptions: {
      description: 'Anything that has a global id, by that id.',
      resolve: (_, { id }, context, info) => loadAnyNode(id, context, info),
    },
    nodesQueryOptions: {
      description: 'Several of them, in the order asked for.',
      resolve: (_, { ids }, context, info) => ids.map((id) => loadAnyNode(id, context, info)),
    },
    pageInfoTypeOptions: { shareable: true },
  },
});

builder.queryType({ description: 'What can be asked.' });
builder.mutationType({ description: 'What can be done.' });
builder.subscriptionType({ description: 'What can be watched.' });
