import { isEditErrorCode } from '../edit-error-codes.ts';
import { builder } from './builder.ts';
import { EditErrorCodeEnum } from './errors.ts';

const AttemptState = builder.enumType('EditAttemptState', {
  description: 'What became of one request to the edits API.',
  values: {
    SENT: { description: 'It goes out, or its answer is awaited.' },
    SUCCEEDED: { description: 'It brought the pictures.' },
    FAILED: { description: 'It surely brought nothing and cost nothing.' },
    UNKNOWN: { description: 'It may have been processed and paid.' },
  },
});

builder.prismaObject('EditAttempt', {
  description: 'One POST to the edits API.',
  fields: (t) => ({
    number: t.exposeInt('number', { description: 'From 1.' }),
    state: t.expose('state', { type: AttemptState, description: 'What became of it.' }),
    upstream: t.exposeString('upstream', {
      nullable: true,
      description: 'The edits API that it went to, by its name in `upstreams`.',
    }),
    httpStatus: t.exposeInt('httpStatus', {
      nullable: true,
      description: 'HTTP status of the answer; null when none came.',
    }),
    upstreamRequestId: t.exposeString('upstreamRequestId', {
      nullable: true,
      description: 'The edits API’s own id of the request.',
    }),
    errorCode: t.field({
      type: EditErrorCodeEnum,
      nullable: true,
      description: 'Why it brought nothing.',
      select: { errorCode: true },
      resolve: ({ errorCode }) => (isEditErrorCode(errorCode) ? errorCode : null),
    }),
    errorMessage: t.exposeString('errorMessage', {
      nullable: true,
      description: 'Why it brought nothing, for people.',
    }),
    sentAt: t.expose('sentAt', {
      type: 'DateTime',
      description: 'When it was noted as sent, just before its first byte.',
    }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When its end was noted.',
    }),
    durationMs: t.int({
      nullable: true,
      description: 'Milliseconds from `sentAt` to `finishedAt`.',
      select: { sentAt: true, finishedAt: true },
      resolve: ({ sentAt, finishedAt }) =>
        finishedAt === null ? null : finishedAt.getTime() - sentAt.getTime(),
    }),
  }),
});
