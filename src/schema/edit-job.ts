import type { Prisma } from '../database/database.ts';
import { EditStatus } from '../edits/edit-status.ts';
import { inHistory } from '../edits/history/in-history.ts';
import type { JsonObject } from '../edits/input/json-object.ts';
import { shownMessage } from '../edits/outcome-record.ts';
import { PARAMETERS } from '../edits/parameters.ts';
import { EDIT_ERRORS, isEditErrorCode } from '../edits-api/edit-error-codes.ts';
import type { ModerationDetails } from '../edits-api/edits-api-error.ts';
import { builder } from './builder.ts';
import { EditError } from './edit-error.ts';
import { EditInput } from './edit-input.ts';
import { EditSourceEnum, EditStatusEnum } from './enums.ts';
import { Image } from './image.ts';
import { TokenUsage } from './token-usage.ts';

export const EditJob = builder.prismaNode('EditJob', {
  description: 'The record of one edit: its inputs and parameters, its status and its results.',
  id: { field: 'id', description: 'Global id.' },
  // Rows have the columns that are asked for, of some fifty.
  select: { id: true },
  findUnique: (id, { viewer }) => ({ id, ...inHistory(viewer) }),
  fields: (t) => ({
    status: t.expose('status', { type: EditStatusEnum, description: 'Current status.' }),
    prompt: t.relation('prompt', {
      description: PARAMETERS.prompt.jobDescription,
      // Null only for deleted edits, which no query returns.
      onNull: 'error',
    }),
    resolvedSize: t.expose('resolvedSize', {
      type: 'ImageSize',
      description: 'The size as sent to the upstream; for `"source"`, the size that was selected.',
    }),
    extraParams: t.field({
      type: 'JSONObject',
      nullable: true,
      description:
        'Additional form fields that were sent to the upstream. Null if none were given.',
      select: { extraParams: true },
      resolve: ({ extraParams }) => extraParams as JsonObject | null,
    }),
    metadata: t.field({
      type: 'JSONObject',
      description: 'The client’s own key-value pairs.',
      select: { metadata: true },
      resolve: ({ metadata }) => metadata as JsonObject,
    }),
    source: t.expose('source', {
      type: EditSourceEnum,
      description: 'The API that submitted the edit.',
    }),
    sandbox: t.exposeBoolean('sandbox', {
      description:
        'Whether the built-in sandbox made the edit: no model was called and nothing was billed.',
    }),
    usage: t.field({
      type: TokenUsage,
      nullable: true,
      description:
        'Token usage. Null until the upstream reports it, or if the upstream never reported it or reported inconsistent numbers.',
      select: (_, __, nested) => ({ usage: nested(true) }),
      resolve: ({ usage }) => (usage?.totalTokens == null ? null : usage),
    }),
    hasStoredAnswer: t.boolean({
      description:
        'Whether an upstream response is stored that could not be read. `rereadAnswer` reads it again.',
      select: { attempts: { orderBy: { number: 'asc' } } },
      resolve: ({ attempts }) => attempts.some(({ answerStoredAt }) => answerStoredAt !== null),
    }),
    error: t.field({
      type: EditError,
      nullable: true,
      description:
        'The reason why there are no output images. Null unless the edit is FAILED or OUTCOME_UNKNOWN, or was CANCELED while a request was in progress.',
      select: {
        status: true,
        errorCode: true,
        errorMessage: true,
        attempts: { orderBy: { number: 'asc' } },
      },
      resolve: ({ status, errorCode, errorMessage, attempts }, _, { viewer }) => {
        if (!isEditErrorCode(errorCode)) return null;
        const last = attempts.at(-1);
        return {
          code: errorCode,
          message: shownMessage(errorCode, errorMessage, viewer),
          retryable: status === EditStatus.FAILED && EDIT_ERRORS[errorCode].retryable,
          upstreamRequestId: last?.upstreamRequestId ?? null,
          moderationDetails: (last?.moderationDetails ?? null) as ModerationDetails | null,
        };
      },
    }),
    upstream: t.exposeString('upstream', {
      nullable: true,
      description:
        'Name of the upstream of the last attempt, as in `upstreams`. Null until the edit is sent. For earlier upstreams see `attempts`.',
    }),
    costUnresolved: t.boolean({
      description:
        'Whether the edit may have been billed although its cost is unknown. True if it is OUTCOME_UNKNOWN, or was CANCELED while a request was in progress, until an admin resolves it by `resolveOutcome`.',
      select: { status: true, errorCode: true, costMicroUsd: true },
      resolve: ({ status, errorCode, costMicroUsd }) =>
        costMicroUsd === null &&
        (status === EditStatus.OUTCOME_UNKNOWN ||
          (status === EditStatus.CANCELED && errorCode !== null)),
    }),
    nextAttemptAt: t.expose('nextAttemptAt', {
      type: 'DateTime',
      nullable: true,
      description:
        'When a queued edit is tried again: after an attempt that was certainly not processed, or because no upstream was available or free disk space was too low. Null if it runs as soon as it reaches the front of the queue.',
    }),
    retryOf: t.relation('retryOf', {
      nullable: true,
      description: 'The job that this job repeats by `retryEdit`. Null if it is not a retry.',
    }),
    attempts: t.relation('attempts', {
      description: 'The requests to upstreams, in order.',
      query: { orderBy: { number: 'asc' } },
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      description: 'When the edit was committed to the queue.',
    }),
    startedAt: t.expose('startedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the edit left the queue. Null if it has not.',
    }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the edit ended. Null until then.',
    }),
    durationMs: t.exposeInt('durationMs', {
      nullable: true,
      description:
        'Duration from `startedAt` to `finishedAt`, in milliseconds. Null until the edit ends, or if it never left the queue.',
    }),
  }),
});

/**
 * All image fields of a job select its links in the same way, so one query serves them all for a
 * whole page of jobs.
 */
const imagesOf = (image: unknown) => ({
  images: {
    orderBy: { position: 'asc' as const },
    select: { role: true, sentSha256: true, image },
  },
});

builder.prismaObjectFields(EditJob, (t) => ({
  inputImages: t.field({
    type: [Image],
    description: 'The input images, in the order given, without the mask.',
    select: (_, __, nested) => imagesOf(nested(true)),
    resolve: ({ images }) => withRole(images, 'INPUT'),
  }),
  mask: t.field({
    type: Image,
    nullable: true,
    description: 'The mask. Null if none was given.',
    select: (_, __, nested) => imagesOf(nested(true)),
    resolve: ({ images }) => withRole(images, 'MASK')[0] ?? null,
  }),
  inputs: t.field({
    type: [EditInput],
    description:
      'The input images in the order given, then the mask, each with the hash of the bytes sent.',
    select: (_, __, nested) => imagesOf(nested(true, ['image'])),
    resolve: ({ images }) =>
      (['INPUT', 'MASK'] as const).flatMap((role) => images.filter((row) => row.role === role)),
  }),
  outputImages: t.field({
    type: [Image],
    description: 'The output images. Empty until the edit succeeds.',
    select: (_, __, nested) => imagesOf(nested(true)),
    resolve: ({ images }) => withRole(images, 'OUTPUT'),
  }),
  partialImages: t.field({
    type: [Image],
    description:
      'The partial images received so far, in order of arrival. They remain after the edit ends.',
    select: (_, __, nested) => imagesOf(nested(true)),
    resolve: ({ images }) => withRole(images, 'PARTIAL'),
  }),
}));

function withRole<Row extends { role: Prisma.EditJobImageModel['role']; image: unknown }>(
  rows: readonly Row[],
  role: Row['role'],
): Row['image'][] {
  return rows.filter((row) => row.role === role).map((row) => row.image);
}
