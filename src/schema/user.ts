import { viewerOf } from '../auth/visible.ts';
import { builder } from './builder.ts';
import { EditJob } from './edit-job.ts';
import { EditJobConnection, editJobsArgs, editJobsPage } from './history.ts';
import { listsOf } from './lagging.ts';
import { reportUsage, UsageReportObject, usageArgs, usageComplexity } from './usage.ts';

const VIEWER_ONLY = 'Null for all users except the viewer.';

/**
 * A federation stub. The id is the one that authentication provides, not a global id of this service,
 * because another subgraph owns users. Create it only for an owner whose edits the viewer may see: the
 * fields do not check again.
 */
export const User = builder.objectRef<{ id: string }>('User').implement({
  description:
    'The owner of edits. In a federated graph, other subgraphs contribute the remaining fields.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Id of the user, as provided by authentication.' }),
    editJobs: t.connection(
      {
        type: EditJob,
        nullable: true,
        description: `The user’s edits; see the query \`editJobs\`. ${VIEWER_ONLY}`,
        args: editJobsArgs,
        resolve: ({ id }, args, context, info) => editJobsPage(viewerOf(id), args, context, info),
      },
      EditJobConnection,
    ),
    usage: t.field({
      type: UsageReportObject,
      nullable: true,
      description: `The user’s usage; see the query \`usage\`. ${VIEWER_ONLY}`,
      complexity: usageComplexity,
      args: usageArgs,
      // Only of this user, even for an admin, who may query all owners.
      resolve: ({ id }, args, context, info) =>
        reportUsage(args, listsOf(context, info), viewerOf(id)),
    }),
  }),
});

builder.prismaObjectField('EditJob', 'owner', (t) =>
  t.field({
    type: User,
    description: 'The owner of the edit.',
    select: { ownerId: true },
    resolve: ({ ownerId }) => ({ id: ownerId }),
  }),
);
