import { shownMessage } from '../edits/outcome-record.ts';
import { isEditErrorCode } from '../edits-api/edit-error-codes.ts';
import { builder } from './builder.ts';
import { EditErrorCodeEnum } from './errors.ts';

const AttemptState = builder.enumType('EditAttemptState', {
  description: 'State of one request to an upstream.',
  values: {
    SENT: { description: 'The request is being sent, or its response is pending.' },
    SUCCEEDED: { description: 'The response contained the output images.' },
    FAILED: { description: 'The upstream certainly processed nothing and billed nothing.' },
    UNKNOWN: { description: 'The request may have been processed and billed.' },
  },
});

builder.prismaObject('EditAttempt', {
  description: 'One POST request to an upstream.',
  fields: (t) => ({
    number: t.exposeInt('number', {
      description: 'Sequence number within the edit, starting at 1.',
    }),
    state: t.expose('state', { type: AttemptState, description: 'State of the request.' }),
    upstream: t.exposeString('upstream', {
      description: 'Name of the upstream that the request was sent to, as in `upstreams`.',
    }),
    httpStatus: t.exposeInt('httpStatus', {
      nullable: true,
      description: 'HTTP status of the response. Null if no response arrived.',
    }),
    upstreamRequestId: t.exposeString('upstreamRequestId', {
      nullable: true,
      description: 'Request id assigned by the upstream. Null if it assigned none.',
    }),
    errorCode: t.field({
      type: EditErrorCodeEnum,
      nullable: true,
      description: 'Error code of the attempt. Null unless it failed or its outcome is unknown.',
      select: { errorCode: true },
      resolve: ({ errorCode }) => (isEditErrorCode(errorCode) ? errorCode : null),
    }),
    errorMessage: t.string({
      nullable: true,
      description:
        'Human-readable reason for the error; the upstream’s own message only for admins. Null unless the attempt failed or its outcome is unknown.',
      select: { errorCode: true, errorMessage: true },
      resolve: ({ errorCode, errorMessage }, _, { viewer }) =>
        errorMessage && shownMessage(errorCode, errorMessage, viewer),
    }),
    sentAt: t.expose('sentAt', {
      type: 'DateTime',
      description: 'When the attempt was recorded, just before the first byte was sent.',
    }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the end of the attempt was recorded. Null until then.',
    }),
    durationMs: t.int({
      nullable: true,
      description:
        'Duration from `sentAt` to `finishedAt`, in milliseconds. Null until the attempt ends.',
      select: { sentAt: true, finishedAt: true },
      resolve: ({ sentAt, finishedAt }) =>
        finishedAt === null ? null : finishedAt.getTime() - sentAt.getTime(),
    }),
  }),
});
