import { queryFromInfo } from '@pothos/plugin-prisma';
import { GraphQLError, type GraphQLSchema } from 'graphql';
import { inHistory } from '../edits/in-history.ts';
import { builder } from './builder.ts';
import { EditJob } from './edit-job.ts';
import { parseGlobalId } from './global-id.ts';
import { Image } from './image.ts';
import { User } from './user.ts';

/** The oldest version that knows subscriptions, so that every router takes it that does. */
const FEDERATION = 'https://specs.apollo.dev/federation/v2.4';

const byId = builder.selection<{ id: string }>('id');

builder.asEntity(EditJob, {
  key: byId,
  resolveReference: async (reference, context, info) => {
    const id = keyOf('EditJob', reference);
    if (id === null) return null;
    const query = queryFromInfo({ context, info, typeName: 'EditJob' });
    const where = { id, ...inHistory(context.viewer) };
    return context.prisma.editJob.findUnique({ ...query, where });
  },
});

builder.asEntity(Image, {
  key: byId,
  resolveReference: async (reference, context, info) => {
    const id = keyOf('Image', reference);
    if (id === null) return null;
    const query = queryFromInfo({ context, info, typeName: 'Image' });
    const where = { id, ownerId: context.viewer.ownerId };
    return context.prisma.image.findUnique({ ...query, where });
  },
});

/** Others than the viewer are null, so that a list of users as others see it stays whole. */
builder.asEntity(User, {
  key: byId,
  resolveReference: async ({ id }, { viewer }) => (id === viewer.ownerId ? { id } : null),
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
  // The library takes what is no reference for a defect of ours.
  entities.resolve = (root, args, context, info) => {
    for (const representation of args.representations) checkReference(representation);
    return resolve(root, args, context, info);
  };
  return subgraph;
}

const ENTITIES = ['EditJob', 'Image', 'User'];

/** @throws GraphQLError with code BAD_USER_INPUT. */
function checkReference(representation: unknown): void {
  const { __typename, id } = Object(representation);
  if (ENTITIES.includes(__typename) && typeof id === 'string') return;
  throw new GraphQLError(
    `A representation has a __typename (one of ${ENTITIES.join(', ')}) and an id, both strings.`,
    { extensions: { code: 'BAD_USER_INPUT' } },
  );
}

/** Null for what is no id of this type: another subgraph may hold it, or have made it up. */
function keyOf(typename: string, { id }: { id: string }): string | null {
  const parsed = parseGlobalId(id);
  return parsed?.typename === typename ? parsed.id : null;
}
