import type { Prisma } from '../database/database.ts';
import { EDIT_ERRORS, type EditErrorCode, isEditErrorCode } from '../edit-error-codes.ts';
import { EditStatus } from '../edits/edit-status.ts';
import { inHistory } from '../edits/in-history.ts';
import type { JsonObject } from '../edits/json-object.ts';
import { builder } from './builder.ts';
import { EditInput } from './edit-input.ts';
import {
  EditStatusEnum,
  ImageBackground,
  ImageQuality,
  InputFidelity,
  Moderation,
  OutputFormat,
} from './enums.ts';
import { EditErrorCodeEnum } from './errors.ts';
import { Image } from './image.ts';
import { TokenUsage } from './token-usage.ts';

interface JobError {
  readonly code: EditErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly upstreamRequestId: string | null;
}

const EditError = builder.objectRef<JobError>('EditError').implement({
  description: 'Why an edit has no pictures.',
  fields: (t) => ({
    code: t.expose('code', { type: EditErrorCodeEnum, description: 'The reason, for programs.' }),
    message: t.exposeString('message', { description: 'The reason, for people.' }),
    retryable: t.exposeBoolean('retryable', {
      description: 'Nothing was processed or paid, and the same edit may well succeed later.',
    }),
    upstreamRequestId: t.exposeString('upstreamRequestId', {
      nullable: true,
      description: 'The edits API’s own id of the request, for its support.',
    }),
  }),
});

/**
 * All picture fields of a job ask for its links in the same way, so that one query serves them all
 * for a whole page of jobs.
 */
const imagesOf = (image: unknown) => ({
  images: { orderBy: { position: 'asc' as const }, include: { image } },
});

export const EditJob = builder.prismaNode('EditJob', {
  description: 'One edit: what was asked for, where it stands, and what came of it.',
  id: { field: 'id', description: 'Global id.' },
  findUnique: (id, { viewer }) => ({ id, ...inHistory(viewer) }),
  fields: (t) => ({
    status: t.expose('status', { type: EditStatusEnum, description: 'Where it stands.' }),
    prompt: t.relation('prompt', {
      description: 'What to change.',
      // Null of deleted edits only, which nobody sees.
      onNull: 'error',
    }),
    model: t.exposeString('model', { description: 'The model, as sent to the edits API.' }),
    size: t.expose('size', { type: 'ImageSize', description: 'The size as asked for.' }),
    resolvedSize: t.exposeString('resolvedSize', {
      description: 'The size as sent to the edits API: for `"source"`, what was chosen.',
    }),
    n: t.exposeInt('n', { description: 'How many pictures were asked for.' }),
    quality: t.expose('quality', {
      type: ImageQuality,
      nullable: true,
      description: 'As asked for; null: left to the edits API.',
    }),
    background: t.expose('background', {
      type: ImageBackground,
      nullable: true,
      description: 'As asked for; null: left to the edits API.',
    }),
    outputFormat: t.expose('outputFormat', {
      type: OutputFormat,
      nullable: true,
      description: 'As asked for; null: left to the edits API. `outputImages` tell their own.',
    }),
    outputCompression: t.exposeInt('outputCompression', {
      nullable: true,
      description: '0 to 100, as asked for.',
    }),
    inputFidelity: t.expose('inputFidelity', {
      type: InputFidelity,
      nullable: true,
      description: 'As asked for; null: left to the edits API.',
    }),
    moderation: t.expose('moderation', {
      type: Moderation,
      nullable: true,
      description: 'As asked for; null: left to the edits API.',
    }),
    requestedPartialImages: t.int({
      description: 'How many pictures on the way were asked for, for each output picture.',
      select: { partialImages: true },
      resolve: ({ partialImages }) => partialImages ?? 0,
    }),
    extraParams: t.field({
      type: 'JSONObject',
      nullable: true,
      description: 'Further form fields that were sent as they are.',
      select: { extraParams: true },
      resolve: ({ extraParams }) => extraParams as JsonObject | null,
    }),
    metadata: t.field({
      type: 'JSONObject',
      description: 'The client’s own labels.',
      select: { metadata: true },
      resolve: ({ metadata }) => metadata as JsonObject,
    }),
    sandbox: t.exposeBoolean('sandbox', {
      description: 'Made by the built-in sandbox: not by a model, and not paid.',
    }),
    inputImages: t.field({
      type: [Image],
      description: 'The pictures that were edited, in the order given.',
      select: (_, __, nested) => imagesOf(nested(true)),
      resolve: ({ images }) => withRole(images, 'INPUT'),
    }),
    mask: t.field({
      type: Image,
      nullable: true,
      description: 'The mask, if there was one.',
      select: (_, __, nested) => imagesOf(nested(true)),
      resolve: ({ images }) => withRole(images, 'MASK')[0] ?? null,
    }),
    inputs: t.field({
      type: [EditInput],
      description: 'The input images in the order given, then the mask, each with what was sent.',
      select: (_, __, nested) => imagesOf(nested(true, ['image'])),
      resolve: ({ images }) =>
        (['INPUT', 'MASK'] as const).flatMap((role) => images.filter((row) => row.role === role)),
    }),
    outputImages: t.field({
      type: [Image],
      description: 'The edited pictures; none before the edit has succeeded.',
      select: (_, __, nested) => imagesOf(nested(true)),
      resolve: ({ images }) => withRole(images, 'OUTPUT'),
    }),
    partialImages: t.field({
      type: [Image],
      description:
        'The pictures on the way that came so far, in the order they came; they stay after the end.',
      select: (_, __, nested) => imagesOf(nested(true)),
      resolve: ({ images }) => withRole(images, 'PARTIAL'),
    }),
    usage: t.field({
      type: TokenUsage,
      nullable: true,
      description:
        'Tokens; null until the edits API has reported them, when it never did, or when its numbers contradict each other.',
      select: (_, __, nested) => ({ usage: nested(true) }),
      resolve: ({ usage }) => (usage?.totalTokens == null ? null : usage),
    }),
    hasStoredAnswer: t.boolean({
      description:
        'An upstream’s response is stored of which no image could be read: `rereadAnswer` reads it again.',
      select: { attempts: { orderBy: { number: 'asc' } } },
      resolve: ({ attempts }) => attempts.some(({ answerStoredAt }) => answerStoredAt !== null),
    }),
    error: t.field({
      type: EditError,
      nullable: true,
      description:
        'Why there are no pictures; null unless FAILED, OUTCOME_UNKNOWN, or CANCELED while a request was out.',
      select: {
        status: true,
        errorCode: true,
        errorMessage: true,
        attempts: { orderBy: { number: 'asc' } },
      },
      resolve: ({ status, errorCode, errorMessage, attempts }) => {
        if (!isEditErrorCode(errorCode)) return null;
        return {
          code: errorCode,
          message: errorMessage ?? '',
          retryable: status === EditStatus.FAILED && EDIT_ERRORS[errorCode].retryable,
          upstreamRequestId: attempts.at(-1)?.upstreamRequestId ?? null,
        };
      },
    }),
    upstream: t.exposeString('upstream', {
      nullable: true,
      description:
        'The edits API that it went to last, by its name in `upstreams`; null before it was sent. `attempts` have those before.',
    }),
    costUnresolved: t.boolean({
      description:
        'It may have been paid without an answer: true for OUTCOME_UNKNOWN, and for CANCELED while a request was out.',
      select: { status: true, errorCode: true },
      resolve: ({ status, errorCode }) =>
        status === EditStatus.OUTCOME_UNKNOWN ||
        (status === EditStatus.CANCELED && errorCode !== null),
    }),
    nextAttemptAt: t.expose('nextAttemptAt', {
      type: 'DateTime',
      nullable: true,
      description:
        'When it is looked at again, while it is queued: after an attempt that was surely not processed, or because no edits API or not enough room on the disk could be had for it. Null: as soon as it is its turn.',
    }),
    retryOf: t.relation('retryOf', {
      nullable: true,
      description: 'The job that this one repeats, by `retryEdit`.',
    }),
    retries: t.relation('retries', {
      description: 'The jobs that repeat this one.',
      query: { orderBy: { id: 'asc' } },
    }),
    attempts: t.relation('attempts', {
      description: 'The requests to the edits API, in order.',
      query: { orderBy: { number: 'asc' } },
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      description: 'When it was committed to the queue.',
    }),
    startedAt: t.expose('startedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it left the queue.',
    }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it became final.',
    }),
    durationMs: t.exposeInt('durationMs', {
      nullable: true,
      description: 'Milliseconds from `startedAt` to `finishedAt`.',
    }),
  }),
});

function withRole<Row extends { role: Prisma.EditJobImageModel['role']; image: unknown }>(
  rows: readonly Row[],
  role: Row['role'],
): Row['image'][] {
  return rows.filter((row) => row.role === role).map((row) => row.image);
}
