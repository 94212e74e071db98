import SchemaBuilder from '@pothos/core';
import ComplexityPlugin from '@pothos/plugin-complexity';
import DirectivesPlugin from '@pothos/plugin-directives';
import ErrorsPlugin from '@pothos/plugin-errors';
import type {} from '@pothos/plugin-federation';
import PrismaPlugin from '@pothos/plugin-prisma';
import RelayPlugin from '@pothos/plugin-relay';
import type PrismaTypes from '../database/generated/pothos.ts';
import { getDatamodel } from '../database/generated/pothos.ts';
import type { JsonObject } from '../edits/input/json-object.ts';
import type { FileUpload } from '../images/receive/receive-image.ts';
import type { ListCount } from '../paging/count.ts';
import { decodeGlobalId, encodeGlobalId } from '../public-ids/global-id.ts';
import { ACTING_FOR_PLUGIN } from './acting-for-plugin.ts';
import { fieldComplexity } from './complexity.ts';
import type { Context } from './context.ts';
import { loadAnyNode } from './nodes.ts';
import { SELECTED_ROWS_PLUGIN } from './selected-rows-plugin.ts';
import { SUBGRAPH_PLUGIN } from './subgraph-plugin.ts';

/** The schema builder. Every other file in this folder adds its types and fields to it. */
export const builder = new SchemaBuilder<{
  Context: Context;
  PrismaTypes: PrismaTypes;
  DefaultFieldNullability: false;
  DefaultInputFieldRequiredness: false;
  Scalars: {
    Date: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    Decimal: { Input: string; Output: string };
    ID: { Input: string; Output: string };
    ImageSize: { Input: string; Output: string };
    JSONObject: { Input: JsonObject; Output: JsonObject };
    Upload: { Input: PromiseLike<FileUpload>; Output: never };
  };
  Connection: { readonly count: () => Promise<ListCount> };
}>({
  plugins: [
    // Before the resolvers, and within the error unions.
    ACTING_FOR_PLUGIN,
    ErrorsPlugin,
    RelayPlugin,
    // Around Prisma's.
    SELECTED_ROWS_PLUGIN,
    PrismaPlugin,
    ComplexityPlugin,
    // federation.ts adds its own before the next one.
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
  // The HTTP layer sets the limits.
  complexity: { fieldComplexity },
  errors: { defaultTypes: [] },
  relay: {
    encodeGlobalID: (typename, id) => encodeGlobalId(typename, String(id)),
    decodeGlobalID: decodeGlobalId,
    cursorFieldOptions: {
      description: 'Opaque cursor of this edge, for use as `after` or `before`.',
    },
    nodeQueryOptions: {
      args: { id: { description: 'Global id of the object.' } },
      description:
        'Looks up an object by its global id. Returns null if it does not exist or belongs to another owner.',
      resolve: (_, { id }, context, info) => loadAnyNode(id, context, info),
    },
    nodesQueryOptions: {
      args: { ids: { description: 'Global ids of the objects.' } },
      description:
        'Looks up several objects by their global ids, in the given order. Items are null if they do not exist or belong to another owner.',
      resolve: (_, { ids }, context, info) => ids.map((id) => loadAnyNode(id, context, info)),
    },
    firstArgOptions: {
      description:
        'Number of items to return from the start, or after `after`: 0 to 100, default 20.',
    },
    afterArgOptions: { description: 'Returns items after this cursor.' },
    lastArgOptions: {
      description:
        'Number of items to return from the end, or before `before`: 0 to 100. Cannot be combined with `first`.',
    },
    beforeArgOptions: { description: 'Returns items before this cursor.' },
    edgesFieldOptions: { description: 'The items of the page with their cursors.' },
    nodesOnConnection: { description: 'The items of the page, without cursors.' },
    nodeFieldOptions: { description: 'The item.' },
    pageInfoFieldOptions: { description: 'Position of the page in the whole list.' },
    pageInfoTypeOptions: {
      shareable: true,
      description: 'Position of a page, for Relay-style pagination.',
    },
    hasNextPageFieldOptions: { description: 'Whether items follow this page.' },
    hasPreviousPageFieldOptions: { description: 'Whether items precede this page.' },
    startCursorFieldOptions: {
      description: 'Cursor of the first item. Null if the page is empty.',
    },
    endCursorFieldOptions: { description: 'Cursor of the last item. Null if the page is empty.' },
    nodeTypeOptions: { description: 'An object with a global id.' },
    idFieldOptions: { description: 'Global id.' },
  },
});

/** The description of `actingFor`, an argument of every mutation for one owner. */
export const ACTING_FOR =
  'Id of the owner for whom this is done; only an admin may name another owner than themselves. Recorded in `auditEvents`.';

/** Of everything that only admins may use, so that a contract of a federated graph can leave it out. */
export const ADMIN_TAG = 'admin';

builder.queryType({ description: 'Read operations.' });
builder.mutationType({
  description:
    'Write operations. Expected failures are members of the result unions; other failures are top-level errors.',
});
builder.subscriptionType({ description: 'Event streams.' });
