import { asOwner, type Viewer } from '../auth/viewer.ts';
import { builder } from './builder.ts';
import { EditJob } from './edit-job.ts';
import { EditJobConnection, editJobsArgs, editJobsPage } from './history.ts';
import { listsOf } from './lagging.ts';
import { Limit, limitsOf } from './limits.ts';
import { reportUsage, UsageReportObject, usageArgs, usageComplexity } from './usage.ts';

/** Not part of the subgraph: in a federated graph, the viewer belongs to the subgraph that owns users. */
const ViewerObject = builder.objectRef<Viewer>('Viewer').implement({
  description: 'The user who makes the request.',
  fields: (t) => ({
    id: t.exposeID('ownerId', {
      description: 'Id of the user, as provided by authentication; the same as `User.id`.',
    }),
    isAdmin: t.exposeBoolean('isAdmin', {
      description: 'Whether the user may use the operations that are for admins only.',
    }),
    limits: t.field({
      type: [Limit],
      description: 'The limits that apply to the viewer; see the query `limits`.',
      resolve: async (viewer, _, { limits }) => [...(await limitsOf(limits, viewer))],
    }),
    editJobs: t.connection(
      {
        type: EditJob,
        description: 'The viewer’s edits; see the query `editJobs`.',
        args: editJobsArgs,
        resolve: (viewer, args, context, info) =>
          editJobsPage(asOwner(viewer), args, context, info),
      },
      EditJobConnection,
    ),
    usage: t.field({
      type: UsageReportObject,
      description: 'The viewer’s usage; see the query `usage`.',
      complexity: usageComplexity,
      args: usageArgs,
      resolve: (viewer, args, context, info) =>
        reportUsage(args, listsOf(context, info), asOwner(viewer)),
    }),
  }),
});

builder.queryField('viewer', (t) =>
  t.field({
    type: ViewerObject,
    description: 'The user who makes the request.',
    resolve: (_, __, { viewer }) => viewer,
  }),
);
