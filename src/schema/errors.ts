import { EDIT_ERRORS } from '../edit-error-codes.ts';
import {
  AnswerNotFoundError,
  AnswerUnreadableError,
  BudgetExceededError,
  IdempotencyConflictError,
  InvalidInputError,
  JobNotCancelableError,
  JobNotDeletableError,
  JobNotRereadableError,
  NotFoundError,
} from '../errors.ts';
import { formatDecimal, USD_FRACTION_DIGITS } from '../models/decimal.ts';
import { builder } from './builder.ts';
import { EditStatusEnum } from './enums.ts';

/** What every typed error of a result union has. */
const ErrorInterface = builder.interfaceRef<Error>('Error').implement({
  description: 'A mistake that the client can mend; what else goes wrong is a top-level error.',
  fields: (t) => ({
    message: t.exposeString('message', {
      description: 'For people; names the field and the limit.',
    }),
  }),
});

builder.objectType(InvalidInputError, {
  name: 'InvalidInputError',
  description: 'A part of the input cannot be taken. Nothing was stored, sent or paid.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    field: t.exposeString('field', {
      description: 'Path into the input, such as `images[2]`, `mask` or `metadata.project`.',
    }),
    code: t.exposeString('code', {
      description:
        'REQUIRED, TOO_SMALL, TOO_LARGE, TOO_MANY, UNSUPPORTED_FORMAT, UNSUPPORTED_VALUE, BROKEN_IMAGE, DIMENSION_MISMATCH or INVALID_VALUE.',
    }),
  }),
});

builder.objectType(NotFoundError, {
  name: 'NotFoundError',
  description: 'What an id names does not exist, or is not the viewer’s.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    resource: t.exposeString('resource', { description: 'The kind of thing, such as `Image`.' }),
    id: t.exposeID('id', { description: 'The id as it was given.' }),
  }),
});

builder.objectType(IdempotencyConflictError, {
  name: 'IdempotencyConflictError',
  description:
    'The key goes with another input, or with an edit that was deleted. Nothing was stored, sent or paid.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    idempotencyKey: t.exposeString('idempotencyKey', { description: 'The key as it was given.' }),
  }),
});

builder.objectType(BudgetExceededError, {
  name: 'BudgetExceededError',
  description:
    'What the edit may cost is not left of your budget. Nothing was stored, sent or paid.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    limit: t.field({
      type: 'Decimal',
      description: 'The budget, in US dollars.',
      resolve: ({ limitMicroUsd }) => formatDecimal(limitMicroUsd, USD_FRACTION_DIGITS),
    }),
    used: t.field({
      type: 'Decimal',
      description: 'What is spent or held of it, in US dollars.',
      resolve: ({ usedMicroUsd }) => formatDecimal(usedMicroUsd, USD_FRACTION_DIGITS),
    }),
    resetsAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the next period begins; null: never.',
      resolve: ({ resetsAt }) => resetsAt,
    }),
  }),
});

builder.objectType(JobNotCancelableError, {
  name: 'JobNotCancelableError',
  description: 'The edit has ended already.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    status: t.field({
      type: EditStatusEnum,
      description: 'Its final status.',
      resolve: ({ status }) => status,
    }),
  }),
});

builder.objectType(JobNotDeletableError, {
  name: 'JobNotDeletableError',
  description: 'The edit has not ended: cancel it first.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    status: t.field({
      type: EditStatusEnum,
      description: 'QUEUED or RUNNING.',
      resolve: ({ status }) => status,
    }),
  }),
});

builder.objectType(JobNotRereadableError, {
  name: 'JobNotRereadableError',
  description: 'The outcome of the edit is known, so its response is not read again.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    status: t.field({
      type: EditStatusEnum,
      description: 'Any but OUTCOME_UNKNOWN.',
      resolve: ({ status }) => status,
    }),
  }),
});

builder.objectType(AnswerNotFoundError, {
  name: 'AnswerNotFoundError',
  description: 'No response of the edit is stored: none came, or it was removed as too old.',
  interfaces: [ErrorInterface],
});

builder.objectType(AnswerUnreadableError, {
  name: 'AnswerUnreadableError',
  description:
    'The stored response has no image that this version can read. The edit stays OUTCOME_UNKNOWN and the response stored.',
  interfaces: [ErrorInterface],
});

export const EditErrorCodeEnum = builder.enumType('EditErrorCode', {
  description: 'Why an edit has no images.',
  values: EDIT_ERRORS,
});
