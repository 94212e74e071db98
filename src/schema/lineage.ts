import { queryFromInfo } from '@pothos/plugin-prisma';
import { type Link, MAX_LINKS, MAX_TREE, type Tree } from '../edits/lineage/lineage.ts';
import { encodeGlobalId, idOf } from '../public-ids/global-id.ts';
import { builder } from './builder.ts';
import { EditJob } from './edit-job.ts';
import { EditTotals } from './edit-totals.ts';
import { Image } from './image.ts';
import { DEFAULT_LIST_SIZE, listSize } from './list-size.ts';

const firstArg = {
  type: 'Int',
  defaultValue: DEFAULT_LIST_SIZE,
  description: 'Maximum number of items, 0 to 100.',
} as const;

builder.prismaObjectFields(EditJob, (t) => ({
  parents: t.field({
    type: [EditJob],
    description:
      'The edits whose output images this edit used as input images or mask, oldest first.',
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
      'The edits that used an output image of this edit as an input image or mask, oldest first.',
    args: { first: t.arg(firstArg) },
    select: { id: true },
    resolve: async ({ id }, { first }, context, info) => {
      const query = queryFromInfo({ context, info });
      const ids = await context.loaders.children.load({ id, most: listSize(first) });
      return context.loaders.editJobs(query, ids);
    },
  }),
  parentCount: t.int({
    description: 'Total number of `parents`.',
    select: { id: true },
    resolve: async ({ id }, _, { loaders }) => (await loaders.relativeCounts.load(id)).parents,
  }),
  childCount: t.int({
    description: 'Total number of `children`.',
    select: { id: true },
    resolve: async ({ id }, _, { loaders }) => (await loaders.relativeCounts.load(id)).children,
  }),
  root: t.field({
    type: EditJob,
    nullable: true,
    description:
      'The earliest ancestor of this edit; the edit itself if it has no parents. Null if it was deleted in the meantime.',
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
    description: 'The first edit that produced this image. Null for an upload.',
    select: { id: true },
    resolve: async ({ id }, _, context, info) => {
      const query = queryFromInfo({ context, info });
      const ids = await context.loaders.producers.load({ id, most: 1 });
      return (await context.loaders.editJobs(query, ids))[0] ?? null;
    },
  }),
  usedBy: t.field({
    type: [EditJob],
    description: 'The edits that used this image as an input image or mask, oldest first.',
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
  description: 'A link between two edits: the child used an output image of the parent.',
  fields: (t) => ({
    parentId: t.id({
      description: 'Global id of the EditJob that produced the image.',
      resolve: ({ parentId }) => encodeGlobalId('EditJob', parentId),
    }),
    childId: t.id({
      description: 'Global id of the EditJob that used the image as an input image or mask.',
      resolve: ({ childId }) => encodeGlobalId('EditJob', childId),
    }),
    imageId: t.id({
      description: 'Global id of the Image.',
      resolve: ({ imageId }) => encodeGlobalId('Image', imageId),
    }),
  }),
});

const Lineage = builder.objectRef<Tree>('Lineage').implement({
  description: 'An edit with all its ancestors and all their descendants.',
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
      description: 'The links between the edits.',
      // Usually about one edge for each edit.
      complexity: { multiplier: MAX_TREE },
      resolve: ({ links }) => links,
    }),
    totals: t.expose('sums', { type: EditTotals, description: 'Sums over `nodes`.' }),
    truncated: t.exposeBoolean('isTruncated', {
      description: `Whether edits or links were left out, of \`totals\` too, because there are more than ${MAX_TREE.toLocaleString('en')} edits or ${MAX_LINKS.toLocaleString('en')} links.`,
    }),
  }),
});

builder.queryField('lineage', (t) =>
  t.field({
    type: Lineage,
    nullable: true,
    description:
      'The graph that an edit belongs to: all its ancestors and all their descendants. Null if the edit does not exist or belongs to another owner.',
    args: {
      id: t.arg.id({ required: true, description: 'Global id of the EditJob.' }),
    },
    resolve: (_, { id: globalId }, { lineage, viewer }) => {
      const id = idOf('EditJob', globalId);
      return id === null ? null : lineage.tree(viewer, id);
    },
  }),
);
