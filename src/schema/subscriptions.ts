import { visibleOwner, visibleTo } from '../auth/visible.ts';
import { inHistory } from '../edits/history/in-history.ts';
import type { EditEvent } from '../edits/watch/event-queue.ts';
import { encodeGlobalId } from '../public-ids/global-id.ts';
import { builder } from './builder.ts';
import { withJob } from './edit-image.ts';
import { EditJobFilter, toFilter } from './edit-job-filter.ts';

const EditJobEventType = builder.enumType('EditJobEventType', {
  description: 'Type of an event of an edit.',
  values: {
    CURRENT: { description: 'The state of the edit at the time of subscription.' },
    CHANGED: {
      description:
        'The edit changed: it is queued, running, queued again or final. Several successive changes may be merged into one event.',
    },
    PARTIAL_IMAGE: { description: 'A partial image arrived.' },
    DELETED: {
      description: 'The edit was deleted from the history. Sent regardless of the filter.',
    },
  },
});

const EditJobEvent = builder.objectRef<EditEvent>('EditJobEvent').implement({
  description: 'An event of an edit.',
  fields: (t) => ({
    type: t.field({
      type: EditJobEventType,
      description: 'Type of the event.',
      resolve: ({ type }) => type,
    }),
    editJobId: t.id({
      description: 'Global id of the edit.',
      resolve: ({ jobId: id }) => encodeGlobalId('EditJob', id),
    }),
    editJob: t.prismaField({
      type: 'EditJob',
      nullable: true,
      description:
        'The edit in its current state, which may be newer than the event. Null if the edit was deleted.',
      resolve: (query, { jobId: id }, _, { prisma, sharedReads, viewer }) =>
        sharedReads.once(`${visibleOwner(viewer)} ${id} ${JSON.stringify(query)}`, () =>
          prisma.editJob.findFirst({ ...query, where: { id, ...inHistory(viewer) } }),
        ),
    }),
    partialImage: t.prismaField({
      type: 'Image',
      nullable: true,
      description: 'The partial image of a PARTIAL_IMAGE event. Null for other events.',
      resolve: async (query, { jobId: id, partialImageIndex: position }, _, { prisma, viewer }) => {
        const image = { ...query };
        if (position === null) return null;
        const link = await prisma.editJobImage.findUnique({
          where: {
            jobId_role_position: { jobId: id, role: 'PARTIAL', position },
            ...visibleTo(viewer),
          },
          select: { image },
        });
        return link?.image ?? null;
      },
    }),
    partialImageIndex: t.exposeInt('partialImageIndex', {
      nullable: true,
      description:
        'Index of the partial image in `EditJob.partialImages`, starting at 0. Null for other events.',
    }),
  }),
});

builder.subscriptionFields((t) => ({
  editJob: t.field({
    type: EditJobEvent,
    description:
      'The progress of an edit: its current state, then an event for each change and each partial image. Completes when the edit is final. Fails with code NOT_FOUND if the edit does not exist or belongs to another owner.',
    args: { id: t.arg.id({ required: true, description: 'Global id of the EditJob.' }) },
    subscribe: (_, { id }, { editSubscriptions, viewer }) =>
      withJob(id, (job) => editSubscriptions.toJob(viewer, job)),
    resolve: eventOrThrow,
  }),
  editJobs: t.field({
    type: EditJobEvent,
    description:
      'The progress of all of the viewer’s edits: first the current state of those that are not final (at most 500), then an event for each change, partial image and deletion. Does not complete by itself.',
    args: {
      filter: t.arg({
        type: EditJobFilter,
        description:
          'Conditions that an edit must match at the time of the event; omit for all edits.',
      }),
    },
    subscribe: (_, { filter }, { editSubscriptions, viewer }) =>
      editSubscriptions.toAll(viewer, toFilter(filter)),
    resolve: eventOrThrow,
  }),
}));

/** Rendered as an error in the last result, a stream's failure reaches the client over every transport. */
function eventOrThrow(event: EditEvent | Error): EditEvent {
  if (event instanceof Error) throw event;
  return event;
}
