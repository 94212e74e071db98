import { visibleOwner, visibleTo } from '../auth/visible.ts';
import { inHistory } from '../edits/history/in-history.ts';
import type { EditEvent } from '../edits/watch/event-queue.ts';
import { encodeGlobalId } from '../public-ids/global-id.ts';
import { builder } from './builder.ts';
import { withJob } from './edit-image.ts';
import { EditJobFilter, toFilter } from './edit-job-filter.ts';

/** The object type of each event. */
const TYPE_NAMES = {
  CURRENT: 'EditJobSnapshot',
  CHANGED: 'EditJobChanged',
  PARTIAL_IMAGE: 'EditJobPartialImageReceived',
  DELETED: 'EditJobDeleted',
} as const satisfies Record<EditEvent['type'], string>;

const EditJobEvent = builder.interfaceRef<EditEvent>('EditJobEvent').implement({
  description: 'An event of an edit.',
  resolveType: ({ type }) => TYPE_NAMES[type],
  fields: (t) => ({
    editJobId: t.id({
      description: 'Global id of the edit.',
      resolve: ({ jobId: id }) => encodeGlobalId('EditJob', id),
    }),
  }),
});

const EditJobUpdate = builder.interfaceRef<EditEvent>('EditJobUpdate').implement({
  description: 'An event with the state of the edit: every event except its deletion.',
  interfaces: [EditJobEvent],
  resolveType: ({ type }) => TYPE_NAMES[type],
  fields: (t) => ({
    editJob: t.prismaField({
      type: 'EditJob',
      nullable: true,
      description:
        'The edit in its current state, which may be newer than the event. Null if it was deleted in the meantime.',
      resolve: (query, { jobId: id }, _, { prisma, sharedReads, viewer }) =>
        sharedReads.once(`${visibleOwner(viewer)} ${id} ${JSON.stringify(query)}`, () =>
          prisma.editJob.findFirst({ ...query, where: { id, ...inHistory(viewer) } }),
        ),
    }),
  }),
});

builder.objectRef<EditEvent>(TYPE_NAMES.CURRENT).implement({
  description: 'The state of the edit at the time of subscription.',
  interfaces: [EditJobEvent, EditJobUpdate],
});

builder.objectRef<EditEvent>(TYPE_NAMES.CHANGED).implement({
  description:
    'The edit changed: it is queued, running, queued again or final. Several successive changes may be merged into one event.',
  interfaces: [EditJobEvent, EditJobUpdate],
});

builder.objectRef<EditEvent>(TYPE_NAMES.PARTIAL_IMAGE).implement({
  description: 'A partial image arrived.',
  interfaces: [EditJobEvent, EditJobUpdate],
  fields: (t) => ({
    index: t.int({
      description: 'Index of the partial image in `EditJob.partialImages`, starting at 0.',
      resolve: ({ partialImageIndex }) => partialImageIndex ?? 0,
    }),
    image: t.prismaField({
      type: 'Image',
      nullable: true,
      description: 'The partial image. Null if the edit was deleted in the meantime.',
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
  }),
});

builder.objectRef<EditEvent>(TYPE_NAMES.DELETED).implement({
  description: 'The edit was deleted from the history. Sent regardless of the filter.',
  interfaces: [EditJobEvent],
});

builder.subscriptionFields((t) => ({
  editJob: t.field({
    type: EditJobUpdate,
    description:
      'The progress of an edit: an EditJobSnapshot, then an event for each change and each partial image. Completes when the edit is final. Fails with code NOT_FOUND if the edit does not exist or belongs to another owner.',
    args: { id: t.arg.id({ required: true, description: 'Global id of the EditJob.' }) },
    subscribe: (_, { id }, { editSubscriptions, viewer }) =>
      withJob(id, (job) => editSubscriptions.toJob(viewer, job)),
    resolve: (given) => {
      const event = eventOrThrow(given);
      // A deletion can overtake the end of the edit only after events were missed.
      return event.type === 'DELETED' ? { ...event, type: 'CHANGED' as const } : event;
    },
  }),
  editJobs: t.field({
    type: EditJobEvent,
    description:
      'The progress of all of the viewer’s edits: first an EditJobSnapshot of each that is not final (at most 500), then an event for each change, partial image and deletion. Does not complete by itself.',
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
