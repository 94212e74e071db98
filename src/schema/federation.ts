import { queryFromInfo } from '@pothos/plugin-prisma';
import { builder } from './builder.ts';
import { EditJob } from './edit-job.ts';
import { parseGlobalId } from './global-id.ts';
import { Image } from './image.ts';
import { User } from './user.ts';

/** The oldest version that has what is used here, so that every router takes it. */
const FEDERATION = 'https://specs.apollo.dev/federation/v2.0';

const byId = builder.selection<{ id: string }>('id');

builder.asEntity(EditJob, {
  key: byId,
  resolveReference: async (reference, context, info) => {
    const id = keyOf('EditJob', reference);
    if (id === null) return null;
    const query = queryFromInfo({ context, info, typeName: 'EditJob' });
    const where = { id, ownerId: context.viewer.ownerId };
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

builder.asEntity(User, {
  key: byId,
  resolveReference: async ({ id }, { viewer }) => (id === viewer.ownerId ? { id } : null),
});

export function buildSubgraph() {
  return builder.toSubGraphSchema({
    isSubgraph: true,
    linkUrl: FEDERATION,
    federationDirectives: ['@key', '@shareable'],
  });
}

/** Null for what is no id of this type: another subgraph may hold it, or have made it up. */
function keyOf(typename: string, { id }: { id: unknown }): string | null {
  const parsed = typeof id === 'string' ? parseGlobalId(id) : null;
  return parsed?.typename === typename ? parsed.id : null;
}
