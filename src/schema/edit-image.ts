import type { EditWait } from '../edits/edit-waits.ts';
import type { CreatedEdit } from '../edits/edits.ts';
import {
  BudgetExceededError,
  IdempotencyConflictError,
  InvalidInputError,
  JobNotCancelableError,
  JobNotDeletableError,
  NotFoundError,
} from '../errors.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';
import { ImageBackground, ImageQuality, InputFidelity, Moderation, OutputFormat } from './enums.ts';
import { encodeGlobalId, requireId } from './global-id.ts';
import { getPictures, ImageInput } from './image-input.ts';

const MAX_WAIT_SECONDS = 600;
/** Below the 60 s after which most proxies give up. */
const DEFAULT_WAIT_SECONDS = 50;

const EditImageInput = builder.inputType('EditImageInput', {
  description:
    'An edit. Arguments beyond `images` and `prompt` are forwarded when given and left to the edits API when not.',
  fields: (t) => ({
    images: t.field({
      type: [ImageInput],
      required: true,
      description: '1 to 16 pictures, in order; the mask belongs to the first.',
    }),
    mask: t.field({
      type: ImageInput,
      description:
        'PNG with alpha, of the first picture’s dimensions, at most 4 MiB: transparent pixels are edited.',
    }),
    prompt: t.string({
      required: true,
      description: 'What to change, in any language; at most 32,000 characters.',
    }),
    model: t.string({ description: 'Default: the server’s; see the query `models`.' }),
    size: t.field({ type: 'ImageSize', description: 'Default `"1024x1024"`.' }),
    n: t.int({ description: 'How many pictures to make: 1 to 10, default 1.' }),
    quality: t.field({ type: ImageQuality, description: 'Higher costs more tokens.' }),
    background: t.field({ type: ImageBackground, description: 'Background of the output.' }),
    outputFormat: t.field({ type: OutputFormat, description: 'File format of the output.' }),
    outputCompression: t.int({ description: '0 to 100; for JPEG and WEBP.' }),
    inputFidelity: t.field({ type: InputFidelity, description: 'How closely to keep details.' }),
    moderation: t.field({ type: Moderation, description: 'How strictly to moderate.' }),
    partialImages: t.int({
      description:
        'Pictures on the way to each output picture, 0 to 3, default 0: see the subscription `editJob`. Each costs some tokens more.',
    }),
    extraParams: t.field({
      type: 'JSONObject',
      description:
        'Further form fields for the edits API, for what has no argument here; at most 32. Values that are no strings are sent as JSON.',
    }),
    metadata: t.field({
      type: 'JSONObject',
      description:
        'Your own labels, kept with the job: at most 16 keys of 64 characters; strings (of 512 characters), numbers or booleans.',
    }),
    idempotencyKey: t.string({
      description:
        'Your own name for this edit, of at most 255 characters: the same key and input find the same job again instead of paying twice; the same key with another input is refused. It stands for the edit as long as the edit is kept.',
    }),
    wait: t.int({
      description: `Seconds to wait for the result: 0 to ${MAX_WAIT_SECONDS}, default ${DEFAULT_WAIT_SECONDS}, as many proxies give up after 60. Then the current state of the job is returned, and the edit goes on.`,
    }),
  }),
});

const EditImagePayload = builder.objectRef<{ id: string }>('EditImagePayload').implement({
  description: 'The edit is committed, and done unless `wait` was too short for it.',
  fields: (t) => ({
    editJob: t.prismaField({
      type: 'EditJob',
      description: 'The job as it is now. A failed edit is here too: see `status` and `error`.',
      resolve: (query, { id }, _, { prisma }) =>
        prisma.editJob.findUniqueOrThrow({ ...query, where: { id } }),
    }),
  }),
});

/** One union for both ways to a new job. */
const EditImageResult = builder.errorUnion('EditImageResult', {
  description: 'The job, or why there is none.',
  types: [
    EditImagePayload,
    InvalidInputError,
    NotFoundError,
    IdempotencyConflictError,
    BudgetExceededError,
  ],
  resolveType: () => EditImagePayload,
});

builder.mutationField('editImage', (t) =>
  t.field({
    type: EditImageResult,
    description:
      'Edits pictures by a prompt. Everything is checked before anything is sent; once this answers with a job, the job survives any crash, and going away does not cancel it.',
    args: {
      input: t.arg({ type: EditImageInput, required: true, description: 'What to edit, and how.' }),
    },
    resolve: (_, { input }, context) =>
      createAndWait(context, input.wait, (expect) =>
        context.edits.create(
          context.viewer,
          {
            ...input,
            imageCount: input.images.length,
            pictures: () => getPictures(input.images, input.mask ?? null, context),
          },
          expect,
        ),
      ),
  }),
);

builder.mutationField('retryEdit', (t) =>
  t.field({
    type: EditImageResult,
    description:
      'Sends the inputs of an ended edit again, as a new job that names the old one as `retryOf`. After OUTCOME_UNKNOWN this may be paid a second time: that is for you to decide.',
    args: {
      id: t.arg.id({ required: true, description: 'Global id of the EditJob to repeat.' }),
      idempotencyKey: t.arg.string({ description: 'As in `EditImageInput`.' }),
      wait: t.arg.int({ description: 'As in `EditImageInput`.' }),
    },
    resolve: (_, { id, idempotencyKey, wait }, context) =>
      createAndWait(context, wait, (expect) =>
        withJob(id, (old) =>
          context.edits.retry(
            context.viewer,
            old,
            { idempotencyKey: idempotencyKey ?? null },
            expect,
          ),
        ),
      ),
  }),
);

const CancelEditPayload = builder.objectRef<{ id: string }>('CancelEditPayload').implement({
  description: 'The edit is canceled.',
  fields: (t) => ({
    editJob: t.prismaField({
      type: 'EditJob',
      description: 'The job; `costUnresolved` says whether it may have been paid.',
      resolve: (query, { id }, _, { prisma }) =>
        prisma.editJob.findUniqueOrThrow({ ...query, where: { id } }),
    }),
  }),
});

builder.mutationField('cancelEdit', (t) =>
  t.field({
    type: CancelEditPayload,
    description:
      'Ends an edit: out of the queue surely and for free; while it runs by aborting the call, which may be paid all the same.',
    errors: {
      types: [NotFoundError, JobNotCancelableError],
      directResult: true,
      union: { name: 'CancelEditResult', description: 'The canceled job, or why it is not.' },
    },
    args: { id: t.arg.id({ required: true, description: 'Global id of the EditJob.' }) },
    resolve: (_, { id }, { cancelEdit, viewer }) => withJob(id, (job) => cancelEdit(viewer, job)),
  }),
);

const DeleteEditPayload = builder.objectRef<{ id: string }>('DeleteEditPayload').implement({
  description: 'The edit is deleted.',
  fields: (t) => ({
    deletedEditJobId: t.id({
      description: 'The global id that it had.',
      resolve: ({ id }) => encodeGlobalId('EditJob', id),
    }),
  }),
});

builder.mutationField('deleteEdit', (t) =>
  t.field({
    type: DeleteEditPayload,
    description:
      'Takes an ended edit out of the history for good: its prompt, labels and pictures, as far as no other edit has them. Models, sizes, times, tokens and cost stay in `usage`, without a word of what was edited.',
    errors: {
      types: [NotFoundError, JobNotDeletableError],
      directResult: true,
      union: { name: 'DeleteEditResult', description: 'What was deleted, or why it was not.' },
    },
    args: { id: t.arg.id({ required: true, description: 'Global id of the EditJob.' }) },
    resolve: (_, { id }, { deleteEdits, viewer }) =>
      withJob(id, (job) => deleteEdits.one(viewer, job)),
  }),
);

/** @throws NotFoundError that names the job's id as it was given, also for one of anything else. */
export async function withJob<Result>(
  globalId: string,
  act: (id: string) => Promise<Result>,
): Promise<Result> {
  const id = requireId('EditJob', globalId);
  try {
    return await act(id);
  } catch (error) {
    const isTheJob = error instanceof NotFoundError && error.id === id;
    throw isTheJob ? new NotFoundError('EditJob', globalId) : error;
  }
}

async function createAndWait(
  context: Context,
  waitSeconds: number | null | undefined,
  create: (expect: (jobId: string) => void) => Promise<CreatedEdit>,
): Promise<{ id: string }> {
  const timeoutMs = checkWait(waitSeconds) * 1_000;
  const { editWaits, signal } = context;
  const waits = new Map<string, EditWait>();
  const expect = (jobId: string) => {
    const wait = editWaits.expect(jobId);
    waits.set(jobId, wait);
    return wait;
  };
  try {
    const { id, isNew } = await create(expect);
    const wait = waits.get(id) ?? expect(id);
    await wait.untilFinal({ timeoutMs, isNew, signal });
    return { id };
  } finally {
    for (const wait of waits.values()) wait.end();
  }
}

function checkWait(wait: number | null | undefined): number {
  const seconds = wait ?? DEFAULT_WAIT_SECONDS;
  if (seconds < 0 || seconds > MAX_WAIT_SECONDS) {
    throw new InvalidInputError(
      'wait',
      seconds < 0 ? 'TOO_SMALL' : 'TOO_LARGE',
      `wait is a number of seconds from 0 to ${MAX_WAIT_SECONDS}; not ${seconds}.`,
    );
  }
  return seconds;
}
