import type { InputShapeFromFields } from '@pothos/core';
import type { GraphQLResolveInfo } from 'graphql';
import { asOwner, type Viewer } from '../auth/viewer.ts';
import { selectEdits } from '../edits/history/edit-rows.ts';
import { NEWEST_FIRST } from '../edits/history/history-query.ts';
import { inHistory } from '../edits/history/in-history.ts';
import { checkAll } from '../errors.ts';
import { idOf } from '../public-ids/global-id.ts';
import { builder } from './builder.ts';
import { nodesQuery, toConnection } from './connections.ts';
import type { Context } from './context.ts';
import { EditJob } from './edit-job.ts';
import { EditJobFilter, toFilter } from './edit-job-filter.ts';
import { OrderDirection } from './enums.ts';
import { findUnlessNull } from './find-unless-null.ts';
import { listsOf, MAY_LAG } from './lagging.ts';

const EditJobOrder = builder.inputType('EditJobOrder', {
  description: 'Sort order of edits. Unknown values sort as the smallest; ties are broken by id.',
  fields: (t) => ({
    field: t.field({
      type: builder.enumType('EditJobOrderField', {
        description: 'Sort key of edits.',
        values: {
          CREATED_AT: { description: 'Sort by `createdAt`.' },
          COST: { description: 'Sort by `cost`.' },
          TOTAL_TOKENS: { description: 'Sort by `usage.totalTokens`.' },
          DURATION: { description: 'Sort by `durationMs`.' },
        },
      }),
      required: true,
      description: 'Sort key.',
    }),
    direction: t.field({
      type: OrderDirection,
      required: true,
      defaultValue: 'DESC',
      description: 'Sort direction.',
    }),
  }),
});

/** Shared by all lists of edits. */
export const EditJobConnection = builder.connectionObject(
  { type: EditJob, name: 'EditJobConnection', description: 'A page of edits.' },
  { name: 'EditJobEdge', description: 'An edit in a page.' },
);

export const editJobsArgs = builder.args((t) => ({
  filter: t.field({
    type: EditJobFilter,
    description: 'Conditions that edits must match; omit for all edits.',
  }),
  search: t.string({
    description:
      'Text that the prompt must contain, case-insensitive, in any script; at most 1,000 characters. There are no wildcards or operators.',
  }),
  orderBy: t.field({ type: EditJobOrder, description: 'Sort order. Defaults to newest first.' }),
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
  const { prisma } = context;
  const { history } = listsOf(context, info);
  const order = orderBy ?? NEWEST_FIRST;
  const checked = checkAll({
    filter: () => toFilter(filter),
    rest: () => history.check({ search, order }, args),
  });
  const asked = { filter: checked.filter, search, order };
  const query = nodesQuery('EditJob', context, info);
  const edits = query.select ? selectEdits(query.select) : null;
  const page = await history.page(owner, asked, args, edits?.sql);
  return toConnection({
    order,
    page: async () => page,
    nodes: async (ids) =>
      edits === null
        ? prisma.editJob.findMany({ ...query, where: { id: { in: ids }, ...inHistory(owner) } })
        : page.rows.flatMap(({ data }) => (data == null ? [] : [edits.parse(data)])),
    count: () => history.count(owner, asked),
  });
}

builder.queryFields((t) => ({
  editJob: t.prismaField({
    type: 'EditJob',
    nullable: true,
    description:
      'Looks up an edit by its global id. Returns null if it does not exist or belongs to another owner.',
    args: {
      id: t.arg.id({ required: true, description: 'Global id of the EditJob.' }),
    },
    resolve: (query, _, { id: globalId }, { prisma, viewer }) =>
      findUnlessNull(query, idOf('EditJob', globalId), (selection, id) =>
        prisma.editJob.findFirst({ ...selection, where: { id, ...inHistory(viewer) } }),
      ),
  }),
  editJobs: t.connection(
    {
      type: EditJob,
      description: `The viewer’s edits, newest first by default. The page size is 20 by default and at most 100. ${MAY_LAG}`,
      args: editJobsArgs,
      resolve: (_, args, context, info) =>
        editJobsPage(asOwner(context.viewer), args, context, info),
    },
    EditJobConnection,
  ),
}));
