import type { EditNews } from '../edits/news-queue.ts';
import { builder } from './builder.ts';
import { withJob } from './edit-image.ts';
import { EditJobFilter, toFilter } from './edit-job-filter.ts';
import { encodeGlobalId } from './global-id.ts';

const EditJobEventType = builder.enumType('EditJobEventType', {
  description: 'Why a subscriber is told of an edit.',
  values: {
    CURRENT: { description: 'It has just subscribed: this is how the edit stands.' },
    CHANGED: {
      description:
        'It has moved on: queued, running, queued again, or final. Several changes in a row may be told as one.',
    },
    PARTIAL_IMAGE: { description: 'A picture on the way has come.' },
    DELETED: {
      description: 'It was deleted, and is in the history no more. Told whatever the filter.',
    },
  },
});

const EditJobEvent = builder.objectRef<EditNews>('EditJobEvent').implement({
  description: 'News of an edit.',
  fields: (t) => ({
    type: t.field({
      type: EditJobEventType,
      description: 'What has happened.',
      resolve: ({ type }) => type,
    }),
    editJobId: t.id({
      description: 'Global id of the edit.',
      resolve: ({ jobId: id }) => encodeGlobalId('EditJob', id),
    }),
    editJob: t.prismaField({
      type: 'EditJob',
      nullable: true,
      description: 'The edit as it is now; it may be ahead of the event. Null: it was deleted.',
      resolve: (query, { jobId: id }, _, { prisma, sharedReads }) =>
        // Whose it is was seen when the news were sent.
        sharedReads.once(`${id} ${JSON.stringify(query)}`, () =>
          prisma.editJob.findFirst({ ...query, where: { id, deletedAt: null } }),
        ),
    }),
    partialImage: t.prismaField({
      type: 'Image',
      nullable: true,
      description: 'The picture on the way that this event brings; null for all others.',
      resolve: async (query, { jobId: id, partialImageIndex: position }, _, { prisma }) => {
        const image = { ...query };
        if (position === null) return null;
        const link = await prisma.editJobImage.findUnique({
          where: { jobId_role_position: { jobId: id, role: 'PARTIAL', position } },
          select: { image },
        });
        return link?.image ?? null;
      },
    }),
    partialImageIndex: t.exposeInt('partialImageIndex', {
      nullable: true,
      description: 'Its place in `EditJob.partialImages`, from 0; null for all other events.',
    }),
  }),
});

builder.subscriptionFields((t) => ({
  editJob: t.field({
    type: EditJobEvent,
    description:
      'An edit on its way: first as it is, then each change and each picture on the way; ends when it is final. An id that does not exist, or is not the viewer’s, is an error with code NOT_FOUND.',
    args: { id: t.arg.id({ required: true, description: 'Global id of the EditJob.' }) },
    subscribe: (_, { id }, { editSubscriptions, viewer }) =>
      withJob(id, (job) => editSubscriptions.toJob(viewer, job)),
    resolve: newsOrThrow,
  }),
  editJobs: t.field({
    type: EditJobEvent,
    description:
      'All of the viewer’s edits: first those that are not final yet (at most 500), then each change and each deletion of any; it does not end by itself.',
    args: {
      filter: t.arg({
        type: EditJobFilter,
        description: 'Of which ones, as they are then; absent: all.',
      }),
    },
    subscribe: (_, { filter }, { editSubscriptions, viewer }) =>
      editSubscriptions.toAll(viewer, toFilter(filter)),
    resolve: newsOrThrow,
  }),
}));

/** As an error of its last result, a stream's failure reaches the client over every transport. */
function newsOrThrow(news: EditNews | Error): EditNews {
  if (news instanceof Error) throw news;
  return news;
}
