import { queryFromInfo } from '@pothos/plugin-prisma';
import { visibleTo } from '../auth/visible.ts';
import { builder } from './builder.ts';
import { toConnection } from './connections.ts';
import { EditJob } from './edit-job.ts';
import { EditTotals } from './edit-totals.ts';
import { OrderDirection } from './enums.ts';
import { DEFAULT_LIST_SIZE, listSize } from './list-size.ts';
import { Prompt } from './prompt.ts';

builder.prismaObjectFields(Prompt, (t) => ({
  jobs: t.field({
    type: [EditJob],
    description:
      'The newest edits with this prompt, newest first. To page through all of them, use `editJobs` with the filter `promptId`.',
    args: {
      first: t.arg.int({
        defaultValue: DEFAULT_LIST_SIZE,
        description: 'Maximum number of items, 0 to 100.',
      }),
    },
    select: { id: true },
    resolve: async ({ id }, { first }, context, info) => {
      const query = queryFromInfo({ context, info });
      const ids = await context.loaders.promptJobs.load({ id, most: listSize(first) });
      return context.loaders.editJobs(query, ids);
    },
  }),
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
      description:
        'The viewer’s distinct prompts, most recently used first by default. The page size is 20 by default and at most 100.',
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
        const { prompts, prisma, viewer } = context;
        const order = orderBy ?? ({ field: 'LAST_USE', direction: 'DESC' } as const);
        const page = await prompts.page(viewer, { search, order }, args);
        const query = queryFromInfo({ context, info, typeName: 'Prompt', path: ['edges', 'node'] });
        const nodes = await prisma.prompt.findMany({
          ...query,
          where: { id: { in: page.rows.map(({ id }) => id) }, ...visibleTo(viewer) },
        });
        return toConnection(page, order, nodes);
      },
    },
    { name: 'PromptConnection', description: 'A page of prompts.' },
    { name: 'PromptEdge', description: 'A prompt in a page.' },
  ),
);
