import { queryFromInfo } from '@pothos/plugin-prisma';
import { type Link, MAX_LINKS, MAX_TREE, type Tree } from '../edits/lineage/lineage.ts';
import { encodeGlobalId, idOf } from '../public-ids/global-id.ts';
import { builder } from './builder.ts';
import { listConnection } from './connections.ts';
import { EditJob } from './edit-job.ts';
import { EditTotals } from './edit-totals.ts';
import { EditJobConnection } from './history.ts';
import { Image } from './image.ts';

builder.prismaObjectFields(EditJob, (t) => ({
  parents: t.connection(
    {
      type: EditJob,
      description:
        'The edits whose output images this edit used as input images or mask, oldest first. The page size is 20 by default and at most 100.',
      select: { id: true },
      resolve: ({ id }, args, context, info) =>
        listConnection('EditJob', context.loaders.parents, id, args, context, info),
    },
    EditJobConnection,
  ),
  children: t.connection(
    {
      type: EditJob,
      description:
        'The edits that used an output image of this edit as an input image or mask, oldest first. The page size is 20 by default and at most 100.',
      select: { id: true },
      resolve: ({ id }, args, context, info) =>
        listConnection('EditJob', context.loaders.children, id, args, context, info),
    },
    EditJobConnection,
  ),
  retries: t.connection(
    {
      type: EditJob,
      description:
        'The edits that repeat this edit by `retryEdit`, oldest first. The page size is 20 by default and at most 100.',
      select: { id: true },
      resolve: ({ id }, args, context, info) =>
        listConnection('EditJob', context.loaders.retries, id, args, context, info),
    },
    EditJobConnection,
  ),
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
  producedBy: t.connection(
    {
      type: EditJob,
      description:
        'The edits that produced this image as an output, oldest first: several if they returned the same bytes, none for an upload. The page size is 20 by default and at most 100.',
      select: { id: true },
      resolve: ({ id }, args, context, info) =>
        listConnection('EditJob', context.loaders.producers, id, args, context, info),
    },
    EditJobConnection,
  ),
  usedBy: t.connection(
    {
      type: EditJob,
      description:
        'The edits that used this image as an input image or mask, oldest first. The page size is 20 by default and at most 100.',
      select: { id: true },
      resolve: ({ id }, args, context, info) =>
        listConnection('EditJob', context.loaders.users, id, args, context, info),
    },
    EditJobConnection,
  ),
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
