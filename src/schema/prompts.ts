import { asOwner } from '../auth/viewer.ts';
import { visibleTo } from '../auth/visible.ts';
import { builder } from './builder.ts';
import { listConnection, nodesQuery, toConnection } from './connections.ts';
import { EditJob } from './edit-job.ts';
import { EditTotals } from './edit-totals.ts';
import { OrderDirection } from './enums.ts';
import { EditJobConnection } from './history.ts';
import { listsOf, MAY_LAG } from './lagging.ts';
import { Prompt } from './prompt.ts';

builder.prismaObjectFields(Prompt, (t) => ({
  jobs: t.connection(
    {
      type: EditJob,
      description:
        'The edits with this prompt, newest first. The page size is 20 by default and at most 100. For filters and other orders, use `editJobs` with the filter `promptId`.',
      select: { id: true },
      resolve: ({ id }, args, context, info) =>
        listConnection('EditJob', context.loaders.promptJobs, id, args, context, info),
    },
    EditJobConnection,
  ),
  totals: t.field({
    type: EditTotals,
    description: 'Sums over the edits with this prompt.',
    select: { id: true },
    resolve: ({ id }, _, { loaders }) => loaders.promptSums.load(id),
  }),
}));

const PromptOrder = builder.inputType('PromptOrder', {
  description: 'Sort order of prompts. Ties are broken by id.',
  fields: (t) => ({
    field: t.field({
      type: builder.enumType('PromptOrderField', {
        description: 'Sort key of prompts.',
        values: {
          LAST_USE: { description: 'Sort by `lastUsedAt`.' },
          FIRST_USE: { description: 'Sort by `firstUsedAt`.' },
          USES: { description: 'Sort by `uses`.' },
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

builder.queryField('prompts', (t) =>
  t.connection(
    {
      type: Prompt,
      description: `The viewer’s distinct prompts, most recently used first by default. The page size is 20 by default and at most 100. ${MAY_LAG}`,
      args: {
        search: t.arg.string({
          description:
            'Text that the prompt must contain, case-insensitive, in any script; at most 1,000 characters. There are no wildcards or operators.',
        }),
        orderBy: t.arg({
          type: PromptOrder,
          description: 'Sort order. Defaults to most recently used first.',
        }),
      },
      resolve: async (_, { search, orderBy, ...args }, context, info) => {
        const { prisma } = context;
        const { prompts } = listsOf(context, info);
        const viewer = asOwner(context.viewer);
        const order = orderBy ?? ({ field: 'LAST_USE', direction: 'DESC' } as const);
        const page = await prompts.page(viewer, { search, order }, args);
        const query = nodesQuery('Prompt', context, info);
        return toConnection({
          order,
          page: async () => page,
          nodes: (ids) =>
            prisma.prompt.findMany({ ...query, where: { id: { in: ids }, ...visibleTo(viewer) } }),
          count: () => prompts.count(viewer, { search }),
        });
      },
    },
    { name: 'PromptConnection', description: 'A page of prompts.' },
    { name: 'PromptEdge', description: 'A prompt in a page.' },
  ),
);
