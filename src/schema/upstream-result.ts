import type { Prisma } from '../database/database.ts';
import { builder } from './builder.ts';
import { EditJob } from './edit-job.ts';

type ReportedColumns = Pick<
  Prisma.EditJobModel,
  'answerSize' | 'answerQuality' | 'answerBackground' | 'answerOutputFormat' | 'answerRevisedPrompt'
>;

/** As reported: an upstream may use words that no enum of the schema has. */
const UpstreamResult = builder.objectRef<ReportedColumns>('UpstreamResult').implement({
  description:
    'What the upstream reported that it used for an edit, spelled as in the edits API. A field is null if the upstream did not report it.',
  fields: (t) => ({
    size: t.exposeString('answerSize', {
      nullable: true,
      description: 'Size of the output images, such as `1024x1536`.',
    }),
    quality: t.exposeString('answerQuality', {
      nullable: true,
      description: 'Quality of the output images, such as `high`.',
    }),
    background: t.exposeString('answerBackground', {
      nullable: true,
      description: 'Background of the output images, such as `opaque`.',
    }),
    outputFormat: t.exposeString('answerOutputFormat', {
      nullable: true,
      description: 'File format of the output images, such as `png`.',
    }),
    revisedPrompt: t.exposeString('answerRevisedPrompt', {
      nullable: true,
      description:
        'The prompt that the upstream used in place of the given one; at most 32,000 characters.',
    }),
  }),
});

builder.prismaObjectField(EditJob, 'upstreamResult', (t) =>
  t.field({
    type: UpstreamResult,
    nullable: true,
    description:
      'The parameters that the upstream really used, where the request leaves a choice or the upstream differs from it. Null until the edit succeeds.',
    select: {
      status: true,
      answerSize: true,
      answerQuality: true,
      answerBackground: true,
      answerOutputFormat: true,
      answerRevisedPrompt: true,
    },
    resolve: (job) => (job.status === 'SUCCEEDED' ? job : null),
  }),
);
