import type { Prisma } from '../database/database.ts';
import { inHistory } from '../edits/in-history.ts';
import { builder } from './builder.ts';
import { EditJob } from './edit-job.ts';
import { EditStatusEnum } from './enums.ts';

const DateTimeRange = builder.inputType('DateTimeRange', {
  description: 'A span of time.',
  fields: (t) => ({
    from: t.field({ type: 'DateTime', description: 'Inclusive; absent: since ever.' }),
    to: t.field({ type: 'DateTime', description: 'Exclusive; absent: until ever.' }),
  }),
});

export const EditJobFilter = builder.inputType('EditJobFilter', {
  description: 'All that is given must hold.',
  fields: (t) => ({
    status: t.field({ type: [EditStatusEnum], description: 'One of these.' }),
    model: t.stringList({ description: 'One of these.' }),
    createdAt: t.field({
      type: DateTimeRange,
      description: 'Committed to the queue in this span.',
    }),
  }),
});

/** Of whatever edits; `totalCount` is asked for only when it is wanted. */
export const EditJobConnection = builder.connectionObject<
  typeof EditJob,
  { totalCount: () => Promise<number> }
>(
  {
    type: EditJob,
    name: 'EditJobConnection',
    description: 'A page of edits.',
    fields: (t) => ({
      totalCount: t.int({
        extensions: { pothosPrismaTotalCount: true },
        resolve: (page) => page.totalCount(),
      }),
    }),
  },
  { name: 'EditJobEdge', description: 'An edit in a page.' },
);

export function toWhere(filter: typeof EditJobFilter.$inferInput): Prisma.EditJobWhereInput {
  const { status, model, createdAt } = filter;
  return {
    ...(status && { status: { in: [...status] } }),
    ...(model && { model: { in: [...model] } }),
    ...(createdAt && {
      createdAt: {
        ...(createdAt.from && { gte: createdAt.from }),
        ...(createdAt.to && { lt: createdAt.to }),
      },
    }),
  };
}

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
  editJobs: t.prismaConnection(
    {
      type: 'EditJob',
      cursor: 'id',
      description: 'The viewer’s edits, newest first; pages of 20, at most 100.',
      args: { filter: t.arg({ type: EditJobFilter, description: 'Which ones; absent: all.' }) },
      totalCount: (_, { filter }, { prisma, viewer }) =>
        prisma.editJob.count({ where: { ...toWhere(filter ?? {}), ...inHistory(viewer) } }),
      resolve: (query, _, { filter }, { prisma, viewer }) =>
        prisma.editJob.findMany({
          ...query,
          where: { ...toWhere(filter ?? {}), ...inHistory(viewer) },
          orderBy: { id: 'desc' },
        }),
    },
    EditJobConnection,
  ),
}));
