import { visibleTo } from '../auth/visible.ts';
import type { CreatedEdit } from '../edits/submit/edits.ts';
import type { EditWait } from '../edits/watch/edit-waits.ts';
import {
  BudgetExceededError,
  IdempotencyConflictError,
  InvalidInputError,
  JobNotCancelableError,
  JobNotDeletableError,
  NotFoundError,
} from '../errors.ts';
import { encodeGlobalId, requireId } from '../public-ids/global-id.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';
import { ImageBackground, ImageQuality, InputFidelity, Moderation, OutputFormat } from './enums.ts';
import { getPictures, ImageInput } from './image-input.ts';

const MAX_WAIT_SECONDS = 600;
/** Below the 60 s after which most proxies time out. */
const DEFAULT_WAIT_SECONDS = 50;

const EditImageInput = builder.inputType('EditImageInput', {
  description:
    'The edit to make. Optional model parameters are forwarded if given; if omitted, the upstream’s defaults apply.',
  fields: (t) => ({
    images: t.field({
      type: [ImageInput],
      required: true,
      description: '1 to 16 input images, in order. The mask applies to the first.',
    }),
    mask: t.field({
      type: ImageInput,
      description:
        'PNG with an alpha channel, with the dimensions of the first image, at most 4 MiB. Transparent pixels are edited.',
    }),
    prompt: t.string({
      required: true,
      description: 'Description of the edit, in any language; at most 32,000 characters.',
    }),
    model: t.string({
      description:
        'Name of the model. Defaults to the server’s default model; see the query `models`.',
    }),
    size: t.field({
      type: 'ImageSize',
      description: 'Size of the output images. Defaults to `"1024x1024"`.',
    }),
    n: t.int({ description: 'Number of output images: 1 to 10, default 1.' }),
    quality: t.field({
      type: ImageQuality,
      description: 'Quality of the output images. Higher quality uses more tokens.',
    }),
    background: t.field({ type: ImageBackground, description: 'Background of the output images.' }),
    outputFormat: t.field({ type: OutputFormat, description: 'File format of the output images.' }),
    outputCompression: t.int({
      description: 'Compression level of JPEG and WEBP output, 0 to 100.',
    }),
    inputFidelity: t.field({
      type: InputFidelity,
      description: 'How closely the output preserves details of the input images.',
    }),
    moderation: t.field({
      type: Moderation,
      description: 'Strictness of the upstream’s content moderation.',
    }),
    partialImages: t.int({
      description:
        'Number of partial images for each output image, 0 to 3, default 0. Delivered by the subscription `editJob`. Each partial image uses additional tokens.',
    }),
    extraParams: t.field({
      type: 'JSONObject',
      description:
        'Additional form fields for the upstream, for parameters that have no argument here; at most 32. Values that are not strings are sent as JSON.',
    }),
    metadata: t.field({
      type: 'JSONObject',
      description:
        'The client’s own key-value pairs, stored with the job: at most 16 keys of at most 64 characters. Values must be strings (at most 512 characters), numbers or booleans.',
    }),
    idempotencyKey: t.string({
      description:
        'Idempotency key of at most 255 characters, chosen by the client. A repeated request with the same key and input returns the same job and is not billed again; the same key with different input is rejected. The key is valid as long as the edit is stored, and cannot be reused after the edit was deleted.',
    }),
    wait: t.int({
      description: `Seconds to wait for the result: 0 to ${MAX_WAIT_SECONDS}, default ${DEFAULT_WAIT_SECONDS} (many proxies time out after 60). After that, the mutation returns the job in its current state and the edit continues.`,
    }),
  }),
});

const EditImagePayload = builder.objectRef<{ id: string }>('EditImagePayload').implement({
  description:
    'Result of a successful submission. The edit is durably queued; it has ended unless `wait` elapsed first.',
  fields: (t) => ({
    editJob: t.prismaField({
      type: 'EditJob',
      description:
        'The job in its current state. A failed edit is returned here too: see `status` and `error`.',
      resolve: (query, { id }, _, { prisma, viewer }) =>
        prisma.editJob.findUniqueOrThrow({ ...query, where: { id, ...visibleTo(viewer) } }),
    }),
  }),
});

/** Shared by both mutations that create a job. */
const EditImageResult = builder.errorUnion('EditImageResult', {
  description: 'The job, or an error.',
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
      'Edits images according to a prompt. All input is validated before anything is sent to an upstream. Once the mutation returns a job, the job survives crashes, and disconnecting does not cancel it.',
    args: {
      input: t.arg({
        type: EditImageInput,
        required: true,
        description: 'The images, the prompt and the parameters.',
      }),
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
      'Repeats a final edit as a new job with the same inputs, linked by `retryOf`. If the outcome of the edit is unknown (OUTCOME_UNKNOWN), repeating it may be billed a second time.',
    args: {
      id: t.arg.id({ required: true, description: 'Global id of the EditJob to repeat.' }),
      idempotencyKey: t.arg.string({ description: 'See `EditImageInput.idempotencyKey`.' }),
      wait: t.arg.int({ description: 'See `EditImageInput.wait`.' }),
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
  description: 'Result of a successful `cancelEdit`.',
  fields: (t) => ({
    editJob: t.prismaField({
      type: 'EditJob',
      description: 'The canceled job. `costUnresolved` states whether it may have been billed.',
      resolve: (query, { id }, _, { prisma, viewer }) =>
        prisma.editJob.findUniqueOrThrow({ ...query, where: { id, ...visibleTo(viewer) } }),
    }),
  }),
});

builder.mutationField('cancelEdit', (t) =>
  t.field({
    type: CancelEditPayload,
    description:
      'Cancels an edit. A queued edit is canceled free of charge. For a running edit the request is aborted, but the upstream may still bill it.',
    errors: {
      types: [NotFoundError, JobNotCancelableError],
      directResult: true,
      union: { name: 'CancelEditResult', description: 'The canceled job, or an error.' },
    },
    args: { id: t.arg.id({ required: true, description: 'Global id of the EditJob.' }) },
    resolve: (_, { id }, { cancelEdit, viewer }) => withJob(id, (job) => cancelEdit(viewer, job)),
  }),
);

const DeleteEditPayload = builder.objectRef<{ id: string }>('DeleteEditPayload').implement({
  description: 'Result of a successful `deleteEdit`.',
  fields: (t) => ({
    deletedEditJobId: t.id({
      description: 'Global id of the deleted EditJob.',
      resolve: ({ id }) => encodeGlobalId('EditJob', id),
    }),
  }),
});

builder.mutationField('deleteEdit', (t) =>
  t.field({
    type: DeleteEditPayload,
    description:
      'Permanently deletes a final edit from the history: its prompt, metadata and images, unless another edit uses them. Model, size, times, tokens and cost remain in `usage`, without the content.',
    errors: {
      types: [NotFoundError, JobNotDeletableError],
      directResult: true,
      union: { name: 'DeleteEditResult', description: 'The id of the deleted edit, or an error.' },
    },
    args: { id: t.arg.id({ required: true, description: 'Global id of the EditJob.' }) },
    resolve: (_, { id }, { deleteEdits, viewer }) =>
      withJob(id, (job) => deleteEdits.one(viewer, job)),
  }),
);

/** @throws NotFoundError with the id as given, also if it is the id of another type. */
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
