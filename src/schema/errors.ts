import { EDIT_ERRORS } from '../edits-api/edit-error-codes.ts';
import {
  AnswerNotFoundError,
  AnswerUnreadableError,
  IdempotencyConflictError,
  INVALID_INPUT_CODES,
  type InputProblem,
  type InvalidInputCode,
  InvalidInputError,
  JobNotCancelableError,
  JobNotDeletableError,
  JobNotRereadableError,
  JobNotResolvableError,
  LimitExceededError,
  NotFoundError,
} from '../errors.ts';
import { formatAmount } from '../limits/limit-state.ts';
import { encodeGlobalId } from '../public-ids/global-id.ts';
import { ADMIN_TAG, builder } from './builder.ts';
import { EditStatusEnum } from './enums.ts';
import { LimitMeasureEnum } from './limit-enums.ts';

/** The fields of every typed error in a result union. */
const ErrorInterface = builder.interfaceRef<Error>('Error').implement({
  description:
    'An expected error that the client can handle. Unexpected failures are top-level errors.',
  fields: (t) => ({
    message: t.exposeString('message', {
      description: 'Human-readable message; names the field and the limit where there is one.',
    }),
  }),
});

const InvalidInputCodeEnum = builder.enumType('InvalidInputCode', {
  description: 'The kind of a problem of an input.',
  values: Object.fromEntries(
    Object.entries(INVALID_INPUT_CODES).map(([code, description]) => [code, { description }]),
  ) as Record<InvalidInputCode, { description: string }>,
});

const FIELD = 'Path of the invalid input field, such as `images[2]`, `mask` or `metadata.project`.';

const InputProblemObject = builder.objectRef<InputProblem>('InputProblem').implement({
  description: 'One problem of an input.',
  fields: (t) => ({
    field: t.exposeString('field', { description: FIELD }),
    code: t.expose('code', { type: InvalidInputCodeEnum, description: 'The kind of problem.' }),
    message: t.exposeString('message', {
      description: 'Human-readable message; names the field and the limit where there is one.',
    }),
  }),
});

builder.objectType(InvalidInputError, {
  name: 'InvalidInputError',
  description:
    'The input is invalid. Nothing was stored, sent or billed. `field`, `code` and `message` are those of the first problem.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    field: t.exposeString('field', { description: FIELD }),
    code: t.expose('code', { type: InvalidInputCodeEnum, description: 'The kind of problem.' }),
    problems: t.field({
      type: [InputProblemObject],
      description:
        'All problems found, in the order of the input fields. Fields that depend on an invalid field are not checked.',
      resolve: ({ problems }) => [...problems],
    }),
  }),
});

builder.objectType(NotFoundError, {
  name: 'NotFoundError',
  description: 'The object does not exist or belongs to another owner.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    resource: t.exposeString('resource', { description: 'Type of the object, such as `Image`.' }),
    id: t.exposeID('id', { description: 'The id, as given.' }),
  }),
});

builder.objectType(IdempotencyConflictError, {
  name: 'IdempotencyConflictError',
  description:
    'The idempotency key was already used with different input, or for an edit that was deleted. Nothing was stored, sent or billed.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    idempotencyKey: t.exposeString('idempotencyKey', {
      description: 'The idempotency key, as given.',
    }),
  }),
});

const AMOUNT = 'US dollars for COST, otherwise a count';

builder.objectType(LimitExceededError, {
  name: 'LimitExceededError',
  description:
    'The edit exceeds a limit that applies to it. Nothing was stored, sent or billed. If several limits are exceeded, the one that resets last is reported.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    limitId: t.id({
      description: 'The exceeded limit, as in `Limit.id`.',
      resolve: ({ limitId }) => encodeGlobalId('Limit', limitId),
    }),
    measure: t.expose('measure', {
      type: LimitMeasureEnum,
      description: 'What the limit counts.',
    }),
    limit: t.field({
      type: 'Decimal',
      description: `Maximum for one window: ${AMOUNT}.`,
      resolve: ({ measure, limit }) => formatAmount(measure, limit),
    }),
    used: t.field({
      type: 'Decimal',
      description: `Amount used or reserved in the current window: ${AMOUNT}.`,
      resolve: ({ measure, used }) => formatAmount(measure, used),
    }),
    remaining: t.field({
      type: 'Decimal',
      description: `Amount that an edit could still reserve, never below 0: ${AMOUNT}.`,
      resolve: ({ measure, remaining }) => formatAmount(measure, remaining),
    }),
    resetsAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the next window begins. Null if the limit never resets.',
      resolve: ({ resetsAt }) => resetsAt,
    }),
    retryAfterSeconds: t.exposeInt('retryAfterSeconds', {
      nullable: true,
      description: 'Seconds until `resetsAt`, rounded up. Null if the limit never resets.',
    }),
  }),
});

builder.objectType(JobNotCancelableError, {
  name: 'JobNotCancelableError',
  description: 'The edit has already ended.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    status: t.field({
      type: EditStatusEnum,
      description: 'Final status of the edit.',
      resolve: ({ status }) => status,
    }),
  }),
});

builder.objectType(JobNotDeletableError, {
  name: 'JobNotDeletableError',
  description: 'The edit has not ended. Cancel it first.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    status: t.field({
      type: EditStatusEnum,
      description: 'Current status: QUEUED or RUNNING.',
      resolve: ({ status }) => status,
    }),
  }),
});

builder.objectType(JobNotRereadableError, {
  name: 'JobNotRereadableError',
  description: 'The edit is not OUTCOME_UNKNOWN, so no response is read again.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    status: t.field({
      type: EditStatusEnum,
      description: 'Current status; any status except OUTCOME_UNKNOWN.',
      resolve: ({ status }) => status,
    }),
  }),
});

builder.objectType(JobNotResolvableError, {
  name: 'JobNotResolvableError',
  tag: ADMIN_TAG,
  description: 'The cost of the edit is known, or will be when it ends.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    status: t.field({
      type: EditStatusEnum,
      description: 'Current status of the edit.',
      resolve: ({ status }) => status,
    }),
  }),
});

builder.objectType(AnswerNotFoundError, {
  name: 'AnswerNotFoundError',
  description:
    'No response is stored for the edit: none arrived, or its retention period has passed.',
  interfaces: [ErrorInterface],
});

builder.objectType(AnswerUnreadableError, {
  name: 'AnswerUnreadableError',
  description:
    'This version cannot read an image from the stored response. The edit remains OUTCOME_UNKNOWN, and the response remains stored.',
  interfaces: [ErrorInterface],
});

export const EditErrorCodeEnum = builder.enumType('EditErrorCode', {
  description: 'The reason why an edit has no output images.',
  values: EDIT_ERRORS,
});
