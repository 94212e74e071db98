import type { InputShapeFromFields } from '@pothos/core';
import { queryFromInfo } from '@pothos/plugin-prisma';
import type { GraphQLResolveInfo } from 'graphql';
import type { Viewer } from '../auth/viewer.ts';
import { MAX_COUNTED } from '../edits/history/count.ts';
import type { History } from '../edits/history/history.ts';
import { NEWEST_FIRST } from '../edits/history/history-query.ts';
import { inHistory } from '../edits/in-history.ts';
import { builder } from './builder.ts';
import { lazily, toConnection } from './connections.ts';
import type { Context } from './context.ts';
import { EditJob } from './edit-job.ts';
import { EditJobFilter, toFilter } from './edit-job-filter.ts';
import { OrderDirection } from './enums.ts';
import { idOf } from './global-id.ts';

const EditJobOrder = builder.inputType('EditJobOrder', {
  description:
    'The order of edits. What is unknown counts as the smallest; among equals the id decides.',
  fields: (t) => ({
    field: t.field({
      type: builder.enumType('EditJobOrderField', {
        description: 'What edits are ordered by.',
        values: {
          CREATED_AT: { description: 'When it was committed to the queue.' },
          COST: { description: '`cost`' },
          TOTAL_TOKENS: { description: '`usage.totalTokens`' },
          DURATION: { description: '`durationMs`' },
        },
      }),
      required: true,
      description: 'By what.',
    }),
    direction: t.field({
      type: OrderDirection,
      required: true,
      defaultValue: 'DESC',
      description: 'Which way.',
    }),
  }),
});

/** Of the query `editJobs`, and of `User.editJobs`. */
export const EditJobConnection = builder.connectionObject<
  typeof EditJob,
  { count: () => ReturnType<History['count']> }
>(
  {
    type: EditJob,
    name: 'EditJobConnection',
    description: 'A page of edits.',
    fields: (t) => ({
      totalCount: t.int({
        nullable: true,
        description: `How many there are in all; null when more than ${MAX_COUNTED}.`,
        resolve: async ({ count }) => (await count()).exact,
      }),
      estimatedTotalCount: t.int({
        description: `\`totalCount\`, or when that is null an estimate from the database’s statistics.`,
        resolve: async ({ count }) => (await count()).estimated,
      }),
    }),
  },
  { name: 'EditJobEdge', description: 'An edit in a page.' },
);

export const editJobsArgs = builder.args((t) => ({
  filter: t.field({ type: EditJobFilter, description: 'Which ones; absent: all.' }),
  search: t.string({
    description:
      'What the prompt contains, whatever the case, in any script; at most 1,000 characters, none of which has a special meaning.',
  }),
  orderBy: t.field({ type: EditJobOrder, description: 'Absent: newest first.' }),
}));

type EditJobsArgs = InputShapeFromFields<typeof editJobsArgs> &
  PothosSchemaTypes.DefaultConnectionArguments;

/** A page of an owner's edits. */
export async function editJobsPage(
  owner: Viewer,
  { filter, search, orderBy, ...args }: EditJobsArgs,
  context: Context,
  info: GraphQLResolveInfo,
) {
  const { history, prisma } = context;
  const order = orderBy ?? NEWEST_FIRST;
  const asked = { filter: toFilter(filter), search, order };
  const page = await history.page(owner, asked, args);
  const query = queryFromInfo({
    context,
    info,
    typeName: 'EditJob',
    path: ['edges', 'node'],
  });
  const nodes = await prisma.editJob.findMany({
    ...query,
    where: { id: { in: page.rows.map(({ id }) => id) }, ...inHistory(owner) },
  });
  return {
    ...toConnection(page, order, nodes),
    count: lazily(() => history.count(owner, asked)),
  };
}

builder.queryFields((t) => ({
  editJob: t.prismaField({
    type: 'EditJob',
    nullable: true,
    description: 'An edit by its id; null when it does not exist, or is not the viewer’s.',
    args: {
      id: t.arg.id({ required: true, description: 'The EditJob’s global id.' }),
    },
    resolve: (query, _, { id: globalId }, { prisma, viewer }) => {
      const id = idOf('EditJob', globalId);
      if (id === null) return null;
      return prisma.editJob.findFirst({ ...query, where: { id, ...inHistory(viewer) } });
    },
  }),
  editJobs: t.connection(
    {
      type: EditJob,
      description: 'The viewer’s edits, newest first; pages of 20, at most 100.',
      args: editJobsArgs,
      resolve: (_, args, context, info) => editJobsPage(context.viewer, args, context, info),
    },
    EditJobConnection,
  ),
}));
