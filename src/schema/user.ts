import { builder } from './builder.ts';
import { EditJob } from './edit-job.ts';
import { EditJobConnection, editJobsArgs, editJobsPage } from './history.ts';
import { reportUsage, UsageReportObject, usageArgs, usageComplexity } from './usage.ts';

const VIEWER_ONLY = 'Null for users whose edits the viewer does not see: all others.';

/**
 * A user as far as this service knows one: by id. That is the id which authentication gives, not a
 * global id of this service, since users are another subgraph's. Make one only of an owner whose
 * edits the viewer sees: nothing here asks again.
 */
export const User = builder.objectRef<{ id: string }>('User').implement({
  description: 'Who owns edits. In a federation other subgraphs know the rest of a user.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The user’s id, as authentication knows it.' }),
    editJobs: t.connection(
      {
        type: EditJob,
        nullable: true,
        description: `The user’s edits, as the query \`editJobs\`. ${VIEWER_ONLY}`,
        args: editJobsArgs,
        resolve: ({ id }, args, context, info) =>
          editJobsPage({ ownerId: id, isAdmin: false }, args, context, info),
      },
      EditJobConnection,
    ),
    usage: t.field({
      type: UsageReportObject,
      nullable: true,
      description: `As the query \`usage\`. ${VIEWER_ONLY}`,
      complexity: usageComplexity,
      args: usageArgs,
      // Of this one user, also for an admin, who may ask for all.
      resolve: ({ id }, args, { usageReports }) =>
        reportUsage(args, usageReports, { ownerId: id, isAdmin: false }),
    }),
  }),
});

builder.prismaObjectField('EditJob', 'owner', (t) =>
  t.field({
    type: User,
    description: 'Whose edit it is.',
    select: { ownerId: true },
    resolve: ({ ownerId }) => ({ id: ownerId }),
  }),
);
