import { GraphQLError, type GraphQLResolveInfo, type GraphQLSchema } from 'graphql';
import { visibleOwner } from '../auth/visible.ts';
import { idOf } from '../public-ids/global-id.ts';
import { builder } from './builder.ts';
import { fieldComplexity } from './complexity.ts';
import type { Context } from './context.ts';
import { EditJob } from './edit-job.ts';
import { Image } from './image.ts';
import type { NodeRowOf } from './node-rows.ts';
import { loadNode } from './nodes.ts';
import { User } from './user.ts';

/** The oldest version with subscriptions, accepted by every router that supports them. */
const FEDERATION = 'https://specs.apollo.dev/federation/v2.4';

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
  resolveReference: async ({ id }, { viewer }) => (id === visibleOwner(viewer) ? { id } : null),
});

/** The Federation 2 subgraph of all types; `_service { sdl }` prints it. */
export function buildSubgraph(): GraphQLSchema {
  const subgraph = builder.toSubGraphSchema({
    isSubgraph: true,
    linkUrl: FEDERATION,
    federationDirectives: ['@key', '@shareable'],
  });
  const entities = subgraph.getQueryType()?.getFields()['_entities'];
  const resolve = entities?.resolve;
  if (!entities || !resolve) throw new TypeError('A subgraph without entities.');
  // The library reports an invalid representation as an internal error.
  entities.resolve = (root, args, context, info) => {
    for (const representation of args.representations) checkReference(representation);
    return resolve(root, args, context, info);
  };
  // Pothos does not know the field and would assume ten references.
  entities.extensions = { ...entities.extensions, complexity: fieldComplexity };
  return subgraph;
}

const ENTITIES = ['EditJob', 'Image', 'User'];

/** @throws GraphQLError with code BAD_USER_INPUT if the representation names no entity. */
function checkReference(representation: unknown): void {
  const { __typename } = Object(representation);
  if (ENTITIES.includes(__typename)) return;
  throw new GraphQLError(`A representation must have a __typename: ${ENTITIES.join(', ')}.`, {
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
