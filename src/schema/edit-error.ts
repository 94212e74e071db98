import type { EditErrorCode } from '../edits-api/edit-error-codes.ts';
import type { ModerationDetails } from '../edits-api/edits-api-error.ts';
import { builder } from './builder.ts';
import { EditErrorCodeEnum } from './errors.ts';

const ModerationDetailsObject = builder
  .objectRef<ModerationDetails>('ModerationDetails')
  .implement({
    description: 'Why the upstream’s safety system rejected an edit, as the upstream reported it.',
    fields: (t) => ({
      stage: t.exposeString('stage', {
        nullable: true,
        description:
          'What was rejected, such as `input` or `output`; at most 64 characters. Null if the upstream did not report it.',
      }),
      categories: t.stringList({
        description:
          'Categories of the rejected content, such as `violence`; at most 32, each of at most 64 characters.',
        resolve: ({ categories }) => [...categories],
      }),
    }),
  });

interface JobError {
  readonly code: EditErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly upstreamRequestId: string | null;
  readonly moderationDetails: ModerationDetails | null;
}

export const EditError = builder.objectRef<JobError>('EditError').implement({
  description: 'The reason why an edit has no output images.',
  fields: (t) => ({
    code: t.expose('code', {
      type: EditErrorCodeEnum,
      description: 'Machine-readable error code.',
    }),
    message: t.exposeString('message', {
      description: 'Human-readable reason; the upstream’s own message only for admins.',
    }),
    retryable: t.exposeBoolean('retryable', {
      description:
        'Whether a retry may succeed: nothing was processed or billed, and the same edit may succeed later.',
    }),
    upstreamRequestId: t.exposeString('upstreamRequestId', {
      nullable: true,
      description:
        'Request id that the upstream assigned to the last attempt, for support requests to its operator. Null if it assigned none.',
    }),
    moderationDetails: t.expose('moderationDetails', {
      type: ModerationDetailsObject,
      nullable: true,
      description: 'Why the upstream’s safety system rejected the edit. Null if not reported.',
    }),
  }),
});
