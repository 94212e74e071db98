import { printSubgraphSchema } from '@apollo/subgraph';
import DirectivesPlugin from '@pothos/plugin-directives';
import FederationPlugin from '@pothos/plugin-federation';
import { GraphQLError, type GraphQLResolveInfo, GraphQLSchema } from 'graphql';
import { mayRead } from '../auth/visible.ts';
import { idOf } from '../public-ids/global-id.ts';
import { builder } from './builder.ts';
import { fieldComplexity } from './complexity.ts';
import type { Context } from './context.ts';
import { EditJob } from './edit-job.ts';
import { Image } from './image.ts';
import type { NodeRowOf } from './node-rows.ts';
import { loadNode } from './nodes.ts';
import { prefixTypes } from './prefix-types.ts';
import { User } from './user.ts';

/** The oldest version with subscriptions, accepted by every router that supports them. */
const FEDERATION = 'https://specs.apollo.dev/federation/v2.4';

/** Types that only fields of the standalone schema return. */
const STANDALONE_TYPES = ['Viewer'];

// Before the one that puts directives onto types.
const { plugins = [] } = builder.options;
plugins.splice(plugins.indexOf(DirectivesPlugin), 0, FederationPlugin);

const byId = builder.selection<{ id: string }>('id');

builder.asEntity(EditJob, {
  key: byId,
  resolveReference: ({ id }, context, info) => nodeOf('EditJob', id, context, info),
});

builder.asEntity(Image, {
  key: byId,
  resolveReference: ({ id }, context, info) => nodeOf('Image', id, context, info),
});

/** Users other than the viewer are null, so that a list of users from another subgraph does not fail. */
builder.asEntity(User, {
  key: byId,
  resolveReference: async ({ id }, { viewer }) => (mayRead(viewer, id) ? { id } : null),
});

/**
 * The Federation 2 subgraph of all types; `_service { sdl }` prints it.
 * @param typePrefix Begins the names of its types; empty for none: see `SUBGRAPH_TYPE_PREFIX`.
 */
export function createSubgraph(typePrefix = ''): GraphQLSchema {
  const subgraph = subgraphs.get(typePrefix) ?? buildSubgraph(typePrefix);
  subgraphs.set(typePrefix, subgraph);
  return subgraph;
}

/** By their type prefix. It takes 0.3 s to build one, and each is the same in every app of a process. */
const subgraphs = new Map<string, GraphQLSchema>();

function buildSubgraph(typePrefix: string): GraphQLSchema {
  const built = builder.toSubGraphSchema({
    isSubgraph: true,
    linkUrl: FEDERATION,
    federationDirectives: ['@key', '@shareable', '@tag'],
  });
  const config = built.toConfig();
  // Nothing refers to them.
  const types = config.types.filter(({ name }) => !STANDALONE_TYPES.includes(name));
  const plain = new GraphQLSchema({ ...config, types });
  const { _service: service, _entities: entities } = plain.getQueryType()?.getFields() ?? {};
  const resolve = entities?.resolve;
  if (!service || !entities || !resolve) throw new TypeError('A subgraph without entities.');
  const { subgraph, sdl } = prefixTypes(plain, printSubgraphSchema(plain), typePrefix);
  service.resolve = () => ({ sdl });
  const names = [`${typePrefix}EditJob`, `${typePrefix}Image`, 'User'];
  // The library reports an invalid representation as an internal error.
  entities.resolve = (root, args, context, info) => {
    for (const representation of args.representations) checkReference(representation, names);
    return resolve(root, args, context, info);
  };
  // Pothos does not know the field and would assume ten references.
  entities.extensions = { ...entities.extensions, complexity: fieldComplexity };
  return subgraph;
}

/** @throws GraphQLError with code BAD_USER_INPUT if the representation names no entity. */
function checkReference(representation: unknown, entities: readonly string[]): void {
  const { __typename } = Object(representation);
  if (entities.includes(__typename)) return;
  throw new GraphQLError(`A representation must have a __typename: ${entities.join(', ')}.`, {
    extensions: { code: 'BAD_USER_INPUT' },
  });
}

/** Null for a malformed id, which may come from another subgraph. */
async function nodeOf<Type extends 'EditJob' | 'Image'>(
  type: Type,
  globalId: unknown,
  context: Context,
  info: GraphQLResolveInfo,
): Promise<NodeRowOf[Type] | null> {
  const id = typeof globalId === 'string' ? idOf(type, globalId) : null;
  return id === null ? null : loadNode(type, id, context, info);
}
