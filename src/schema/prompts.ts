import { queryFromInfo } from '@pothos/plugin-prisma';
import type { EditSums } from '../edits/edit-sums.ts';
import { builder } from './builder.ts';
import { toConnection } from './connections.ts';
import { EditJob } from './edit-job.ts';
import { EditSumsInterface } from './edit-sums.ts';
import { OrderDirection } from './enums.ts';
import { DEFAULT_LIST_SIZE, listSize } from './list-size.ts';
import { Prompt } from './prompt.ts';

const PromptTotals = builder.objectRef<EditSums>('PromptTotals').implement({
  description: 'Sums over the edits of a prompt.',
  interfaces: [EditSumsInterface],
  fields: (t) => ({
    successRate: t.float({
      nullable: true,
      description:
        'Of its final edits, the part that brought pictures: 0 to 1. Null when none is final.',
      resolve: ({ succeeded, final }) => (final === 0 ? null : succeeded / final),
    }),
  }),
});

builder.prismaObjectFields(Prompt, (t) => ({
  jobs: t.field({
    type: [EditJob],
    description:
      'Its newest edits. For all of them page through `editJobs` with the filter `promptId`.',
    args: {
      first: t.arg.int({
        defaultValue: DEFAULT_LIST_SIZE,
        description: 'At most so many, 0 to 100.',
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
    type: PromptTotals,
    description: 'What became of its edits, what they took and what they cost.',
    select: { id: true },
    resolve: ({ id }, _, { loaders }) => loaders.promptSums.load(id),
  }),
}));

const PromptOrder = builder.inputType('PromptOrder', {
  description: 'The order of prompts; among equals the id decides.',
  fields: (t) => ({
    field: t.field({
      type: builder.enumType('PromptOrderField', {
        description: 'What prompts are ordered by.',
        values: {
          LAST_USE: { description: '`lastUsedAt`' },
          FIRST_USE: { description: '`firstUsedAt`' },
          USES: { description: '`uses`' },
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

builder.queryField('prompts', (t) =>
  t.connection(
    {
      type: Prompt,
      description:
        'The viewer’s prompts, each text once, the last used first; pages of 20, at most 100.',
      args: {
        search: t.arg.string({
          description:
            'What the text contains, whatever the case, in any script; at most 1,000 characters, none of which has a special meaning.',
        }),
        orderBy: t.arg({ type: PromptOrder, description: 'Absent: the last used first.' }),
      },
      resolve: async (_, { search, orderBy, ...args }, context, info) => {
        const { prompts, prisma, viewer } = context;
        const order = orderBy ?? ({ field: 'LAST_USE', direction: 'DESC' } as const);
        const page = await prompts.page(viewer, { search, order }, args);
        const query = queryFromInfo({ context, info, typeName: 'Prompt', path: ['edges', 'node'] });
        const nodes = await prisma.prompt.findMany({
          ...query,
          where: { id: { in: page.rows.map(({ id }) => id) }, ownerId: viewer.ownerId },
        });
        return toConnection(page, order, nodes);
      },
    },
    { name: 'PromptConnection', description: 'A page of prompts.' },
    { name: 'PromptEdge', description: 'A prompt in a page.' },
  ),
);
