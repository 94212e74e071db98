import { visibleTo } from '../auth/visible.ts';
import {
  AnswerNotFoundError,
  AnswerUnreadableError,
  JobNotRereadableError,
  NotFoundError,
} from '../errors.ts';
import { ACTING_FOR, builder } from './builder.ts';
import { withJob } from './edit-image.ts';

const RereadAnswerInput = builder.inputType('RereadAnswerInput', {
  description: 'The edit whose stored response to read again.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Global id of the EditJob.' }),
    actingFor: t.id({ description: ACTING_FOR }),
  }),
});

const RereadAnswerPayload = builder.objectRef<{ id: string }>('RereadAnswerPayload').implement({
  description: 'Result of a successful `rereadAnswer`.',
  fields: (t) => ({
    editJob: t.prismaField({
      type: 'EditJob',
      description: 'The succeeded job, with the images of its stored response.',
      resolve: (query, { id }, _, { prisma, viewer }) =>
        prisma.editJob.findUniqueOrThrow({ ...query, where: { id, ...visibleTo(viewer) } }),
    }),
  }),
});

builder.mutationField('rereadAnswer', (t) =>
  t.field({
    type: RereadAnswerPayload,
    description:
      'Reads the stored response of an OUTCOME_UNKNOWN edit again, for example after an upgrade that supports more response formats; see `EditJob.hasStoredAnswer`. Nothing is sent to the upstream, but images that the response links to are downloaded. If the response contains an image, the edit becomes SUCCEEDED, its usage and cost are recorded, and webhooks are sent.',
    errors: {
      types: [NotFoundError, JobNotRereadableError, AnswerNotFoundError, AnswerUnreadableError],
      directResult: true,
      union: {
        name: 'RereadAnswerResult',
        description: 'The succeeded job, or an error.',
      },
    },
    args: {
      input: t.arg({
        type: RereadAnswerInput,
        required: true,
        description: 'The edit whose stored response to read again.',
      }),
    },
    resolve: (_, { input }, { rereadAnswer, viewer, signal }) =>
      withJob(input.id, (job) => rereadAnswer(viewer, job, signal)),
  }),
);
