import { visibleTo } from '../auth/visible.ts';
import { checkIdempotencyKey } from '../edits/submit/idempotency.ts';
import { DEFAULT_WAIT_SECONDS, MAX_WAIT_SECONDS } from '../edits/submit/submit-and-wait.ts';
import {
  checkAll,
  IdempotencyConflictError,
  InvalidInputError,
  JobNotCancelableError,
  JobNotDeletableError,
  LimitExceededError,
  NotFoundError,
} from '../errors.ts';
import { encodeGlobalId, requireId } from '../public-ids/global-id.ts';
import { ACTING_FOR, builder } from './builder.ts';
import { checkImageInputs, getImages, ImageInput } from './image-input.ts';
import { parameterArguments } from './parameters.ts';

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
    ...parameterArguments(t, ({ description }) => description),
    extraParams: t.field({
      type: 'JSONObject',
      description:
        'Additional form fields for the upstream, for parameters that have no argument here; at most 32. Values that are not strings are sent as JSON; a list under a name that ends with `[]` is sent as one field for each item.',
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
    actingFor: t.id({ description: ACTING_FOR }),
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

/** Of both mutations that create a job. */
const SUBMIT_ERRORS = [
  InvalidInputError,
  NotFoundError,
  IdempotencyConflictError,
  LimitExceededError,
];

builder.mutationField('editImage', (t) =>
  t.field({
    type: EditImagePayload,
    description:
      'Edits images according to a prompt. All input is validated before anything is sent to an upstream. Once the mutation returns a job, the job survives crashes, and disconnecting does not cancel it.',
    errors: {
      types: SUBMIT_ERRORS,
      directResult: true,
      union: { name: 'EditImageResult', description: 'The job, or an error.' },
    },
    args: {
      input: t.arg({
        type: EditImageInput,
        required: true,
        description: 'The images, the prompt and the parameters.',
      }),
    },
    resolve: (_, { input }, context) => {
      const { images, mask = null, wait } = input;
      const edit = {
        ...input,
        imageCount: images.length,
        loadImages: () => getImages(images, mask, context),
      };
      return context.submitAndWait({
        waitSeconds: wait,
        signal: context.signal,
        check: () =>
          checkAll({
            images: () => checkImageInputs(images, mask),
            edit: () => context.edits.check(context.viewer, edit),
          }),
        submit: (expect) => context.edits.create(context.viewer, edit, expect),
      });
    },
  }),
);

const RetryEditInput = builder.inputType('RetryEditInput', {
  description: 'The edit to repeat.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Global id of the EditJob to repeat.' }),
    idempotencyKey: t.string({ description: 'See `EditImageInput.idempotencyKey`.' }),
    wait: t.int({ description: 'See `EditImageInput.wait`.' }),
    actingFor: t.id({ description: ACTING_FOR }),
  }),
});

const RetryEditPayload = builder.objectRef<{ id: string }>('RetryEditPayload').implement({
  description:
    'Result of a successful submission. The edit is durably queued; it has ended unless `wait` elapsed first.',
  fields: (t) => ({
    editJob: t.prismaField({
      type: 'EditJob',
      description: 'The new job in its current state. See `EditJob.retryOf`.',
      resolve: (query, { id }, _, { prisma, viewer }) =>
        prisma.editJob.findUniqueOrThrow({ ...query, where: { id, ...visibleTo(viewer) } }),
    }),
  }),
});

builder.mutationField('retryEdit', (t) =>
  t.field({
    type: RetryEditPayload,
    description:
      'Repeats a final edit as a new job with the same inputs, linked by `retryOf`. If the outcome of the edit is unknown (OUTCOME_UNKNOWN), repeating it may be billed a second time.',
    errors: {
      types: SUBMIT_ERRORS,
      directResult: true,
      union: { name: 'RetryEditResult', description: 'The new job, or an error.' },
    },
    args: {
      input: t.arg({ type: RetryEditInput, required: true, description: 'The edit to repeat.' }),
    },
    resolve: (_, { input: { id, idempotencyKey = null, wait } }, context) =>
      context.submitAndWait({
        waitSeconds: wait,
        signal: context.signal,
        check: () => checkIdempotencyKey(idempotencyKey ?? null),
        submit: (expect) =>
          withJob(id, (old) =>
            context.edits.retry(context.viewer, old, { idempotencyKey }, expect),
          ),
      }),
  }),
);

const CancelEditInput = builder.inputType('CancelEditInput', {
  description: 'The edit to cancel.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Global id of the EditJob.' }),
    actingFor: t.id({ description: ACTING_FOR }),
  }),
});

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
    args: {
      input: t.arg({ type: CancelEditInput, required: true, description: 'The edit to cancel.' }),
    },
    resolve: (_, { input }, { cancelEdit, viewer }) =>
      withJob(input.id, (job) => cancelEdit(viewer, job)),
  }),
);

const DeleteEditInput = builder.inputType('DeleteEditInput', {
  description: 'The edit to delete.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Global id of the EditJob.' }),
    actingFor: t.id({ description: ACTING_FOR }),
  }),
});

const DeleteEditPayload = builder.objectRef<{ id: string }>('DeleteEditPayload').implement({
  description: 'Result of a successful `deleteEdit`.',
  fields: (t) => ({
    deletedId: t.id({
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
    args: {
      input: t.arg({ type: DeleteEditInput, required: true, description: 'The edit to delete.' }),
    },
    resolve: (_, { input }, { deleteEdits, viewer }) =>
      withJob(input.id, (job) => deleteEdits.one(viewer, job)),
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
