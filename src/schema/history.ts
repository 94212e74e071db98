import { queryFromInfo } from '@pothos/plugin-prisma';
import { MAX_COUNTED } from '../edits/history/count.ts';
import { NEWEST_FIRST } from '../edits/history/history-query.ts';
import { inHistory } from '../edits/in-history.ts';
import { builder } from './builder.ts';
import { lazily, toConnection } from './connections.ts';
import { EditJob } from './edit-job.ts';
import { EditJobFilter, toFilter } from './edit-job-filter.ts';
import { OrderDirection } from './enums.ts';

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

builder.queryFields((t) => ({
  editJob: t.prismaField({
    type: 'EditJob',
    nullable: true,
    description: 'An edit by its id; null when it does not exist, or is not the viewer’s.',
    args: {
      id: t.arg.globalID({ required: true, for: EditJob, description: 'The EditJob’s global id.' }),
    },
    resolve: (query, _, { id }, { prisma, viewer }) =>
      prisma.editJob.findFirst({ ...query, where: { id: id.id, ...inHistory(viewer) } }),
  }),
  editJobs: t.connection(
    {
      type: EditJob,
      description: 'The viewer’s edits, newest first; pages of 20, at most 100.',
      args: {
        filter: t.arg({ type: EditJobFilter, description: 'Which ones; absent: all.' }),
        search: t.arg.string({
          description:
            'What the prompt contains, whatever the case, in any script; at most 1,000 characters, none of which has a special meaning.',
        }),
        orderBy: t.arg({ type: EditJobOrder, description: 'Absent: newest first.' }),
      },
      resolve: async (_, { filter, search, orderBy, ...args }, context, info) => {
        const { history, prisma, viewer } = context;
        const order = orderBy ?? NEWEST_FIRST;
        const asked = { filter: toFilter(filter), search, order };
        const page = await history.page(viewer, asked, args);
        const query = queryFromInfo({
          context,
          info,
          typeName: 'EditJob',
          path: ['edges', 'node'],
        });
        const nodes = await prisma.editJob.findMany({
          ...query,
          where: { id: { in: page.rows.map(({ id }) => id) }, ...inHistory(viewer) },
        });
        return {
          ...toConnection(page, order, nodes),
          count: lazily(() => history.count(viewer, asked)),
        };
      },
    },
    {
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
  ),
}));
