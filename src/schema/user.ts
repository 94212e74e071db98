import { builder } from './builder.ts';
import { EditJobConnection, EditJobFilter, toWhere } from './history.ts';
import { reportUsage, UsageReportObject, usageArgs } from './usage.ts';

/**
 * A user as far as this service knows one: by id. That is the id which authentication gives, not a
 * global id of this service, since users are another subgraph's.
 */
export const User = builder.objectRef<{ id: string }>('User').implement({
  description: 'Who owns edits. In a federation other subgraphs know the rest of a user.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The user’s id, as authentication knows it.' }),
    editJobs: t.prismaConnection(
      {
        type: 'EditJob',
        cursor: 'id',
        nullable: true,
        description:
          'The user’s edits, newest first; pages of 20, at most 100. Null for everybody but the viewer.',
        args: { filter: t.arg({ type: EditJobFilter, description: 'Which ones; absent: all.' }) },
        totalCount: ({ id }, { filter }, { prisma }) =>
          prisma.editJob.count({ where: { ...toWhere(filter ?? {}), ownerId: id } }),
        resolve: (query, { id }, { filter }, { prisma }) =>
          prisma.editJob.findMany({
            ...query,
            where: { ...toWhere(filter ?? {}), ownerId: id },
            orderBy: { id: 'desc' },
          }),
      },
      EditJobConnection,
    ),
    usage: t.field({
      type: UsageReportObject,
      nullable: true,
      description: 'As the query `usage`. Null for everybody but the viewer.',
      args: usageArgs,
      resolve: (_, args, context) => reportUsage(args, context),
    }),
  }),
});

builder.prismaObjectField('EditJob', 'owner', (t) =>
  t.field({
    type: User,
    description: 'Whose edit it is.',
    select: { ownerId: true },
    resolve: ({ ownerId }) => ({ id: ownerId }),
  }),
);
