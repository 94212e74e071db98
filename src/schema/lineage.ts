import { queryFromInfo } from '@pothos/plugin-prisma';
import { type Link, MAX_LINKS, MAX_TREE, type Tree } from '../edits/lineage/lineage.ts';
import { builder } from './builder.ts';
import { EditJob } from './edit-job.ts';
import { EditSumsInterface } from './edit-sums.ts';
import { encodeGlobalId, idOf } from './global-id.ts';
import { Image } from './image.ts';
import { DEFAULT_LIST_SIZE, listSize } from './list-size.ts';

const firstArg = {
  type: 'Int',
  defaultValue: DEFAULT_LIST_SIZE,
  description: 'At most so many, 0 to 100.',
} as const;

builder.prismaObjectFields(EditJob, (t) => ({
  parents: t.field({
    type: [EditJob],
    description:
      'The edits whose output pictures this one edited, or had as its mask; oldest first.',
    args: { first: t.arg(firstArg) },
    select: { id: true },
    resolve: async ({ id }, { first }, context, info) => {
      const query = queryFromInfo({ context, info });
      const ids = await context.loaders.parents.load({ id, most: listSize(first) });
      return context.loaders.editJobs(query, ids);
    },
  }),
  children: t.field({
    type: [EditJob],
    description:
      'The edits that edited an output picture of this one, or had it as their mask; oldest first.',
    args: { first: t.arg(firstArg) },
    select: { id: true },
    resolve: async ({ id }, { first }, context, info) => {
      const query = queryFromInfo({ context, info });
      const ids = await context.loaders.children.load({ id, most: listSize(first) });
      return context.loaders.editJobs(query, ids);
    },
  }),
  parentCount: t.int({
    description: 'How many `parents` there are.',
    select: { id: true },
    resolve: async ({ id }, _, { loaders }) => (await loaders.relativeCounts.load(id)).parents,
  }),
  childCount: t.int({
    description: 'How many `children` there are.',
    select: { id: true },
    resolve: async ({ id }, _, { loaders }) => (await loaders.relativeCounts.load(id)).children,
  }),
  root: t.field({
    type: EditJob,
    nullable: true,
    description:
      'The earliest edit that this one comes of, over any number of edits between them; itself when it has no parents. Null when it was deleted meanwhile.',
    select: { id: true },
    resolve: async ({ id }, _, context, info) => {
      const query = queryFromInfo({ context, info });
      const root = await context.loaders.root.load(id);
      return (await context.loaders.editJobs(query, [root]))[0] ?? null;
    },
  }),
}));

builder.prismaObjectFields(Image, (t) => ({
  producedBy: t.field({
    type: EditJob,
    nullable: true,
    description: 'The first edit that this picture came of; null for an upload.',
    select: { id: true },
    resolve: async ({ id }, _, context, info) => {
      const query = queryFromInfo({ context, info });
      const ids = await context.loaders.producers.load({ id, most: 1 });
      return (await context.loaders.editJobs(query, ids))[0] ?? null;
    },
  }),
  usedBy: t.field({
    type: [EditJob],
    description: 'The edits that edited this picture, or had it as their mask; oldest first.',
    args: { first: t.arg(firstArg) },
    select: { id: true },
    resolve: async ({ id }, { first }, context, info) => {
      const query = queryFromInfo({ context, info });
      const ids = await context.loaders.users.load({ id, most: listSize(first) });
      return context.loaders.editJobs(query, ids);
    },
  }),
}));

const LineageEdge = builder.objectRef<Link>('LineageEdge').implement({
  description: 'One edit comes of another.',
  fields: (t) => ({
    parentId: t.id({
      description: 'Global id of the EditJob that the picture came of.',
      resolve: ({ parentId }) => encodeGlobalId('EditJob', parentId),
    }),
    childId: t.id({
      description: 'Global id of the EditJob that edited it, or had it as its mask.',
      resolve: ({ childId }) => encodeGlobalId('EditJob', childId),
    }),
    imageId: t.id({
      description: 'Global id of the picture.',
      resolve: ({ imageId }) => encodeGlobalId('Image', imageId),
    }),
  }),
});

const LineageTotals = builder.objectRef<Tree['sums']>('LineageTotals').implement({
  description: 'Sums over the edits of a lineage.',
  interfaces: [EditSumsInterface],
});

const Lineage = builder.objectRef<Tree>('Lineage').implement({
  description: 'An edit, all that it comes of, and all that came of those.',
  fields: (t) => ({
    nodes: t.field({
      type: [EditJob],
      description: 'The edits, oldest first.',
      complexity: { multiplier: MAX_TREE },
      resolve: ({ ids }, _, context, info) =>
        context.loaders.editJobs(queryFromInfo({ context, info }), ids),
    }),
    edges: t.field({
      type: [LineageEdge],
      description: 'Which comes of which.',
      // As many as there are edits, as a rule.
      complexity: { multiplier: MAX_TREE },
      resolve: ({ links }) => links,
    }),
    totals: t.expose('sums', { type: LineageTotals, description: 'Sums over `nodes`.' }),
    truncated: t.exposeBoolean('isTruncated', {
      description: `There are more than ${MAX_TREE} edits or ${MAX_LINKS} edges, which are left out, of \`totals\` too.`,
    }),
  }),
});

builder.queryField('lineage', (t) =>
  t.field({
    type: Lineage,
    nullable: true,
    description:
      'The tree that an edit belongs to: all its ancestors, and all descendants of those. Null when the edit does not exist, or is not the viewer’s.',
    args: {
      id: t.arg.id({ required: true, description: 'The EditJob’s global id.' }),
    },
    resolve: (_, { id: globalId }, { lineage, viewer }) => {
      const id = idOf('EditJob', globalId);
      return id === null ? null : lineage.tree(viewer, id);
    },
  }),
);
