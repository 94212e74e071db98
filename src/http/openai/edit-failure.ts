import type { Viewer } from '../../auth/viewer.ts';
import { shownMessage } from '../../edits/outcome-record.ts';
import { EDIT_ERRORS, isEditErrorCode } from '../../edits-api/edit-error-codes.ts';
import type { RenderedError } from '../dialect.ts';
import type { EditWithResult } from './edit-result.ts';

/** Seconds after which a client may send an edit again that reached no upstream. */
const RETRY_AFTER_SECONDS = 10;

/** How an edit without an image ends a response. The edit is final. */
export function editFailure(edit: EditWithResult, viewer: Viewer): RenderedError {
  const { errorCode, errorMessage, status, attempts } = edit;
  const code = isEditErrorCode(errorCode) ? errorCode : 'CANCELED';
  const isUnsent = mayBeSentAgain(edit) && !wasSent(edit);
  const message = errorCode === null ? CANCELED : shownMessage(errorCode, errorMessage, viewer);
  return {
    status: EDIT_ERRORS[code].httpStatus,
    code,
    message: status === 'OUTCOME_UNKNOWN' ? `${message} ${UNKNOWN}` : message,
    details: { moderationDetails: attempts.at(-1)?.moderationDetails ?? null },
    retryAfterSeconds: isUnsent ? RETRY_AFTER_SECONDS : null,
  };
}

/** Whether it failed without being processed, so that the same edit may succeed later. */
export function mayBeSentAgain({
  status,
  errorCode,
}: Pick<EditWithResult, 'status' | 'errorCode'>): boolean {
  return status === 'FAILED' && isEditErrorCode(errorCode) && EDIT_ERRORS[errorCode].retryable;
}

/** Whether a byte of it may have reached an upstream. */
export function wasSent({ attempts }: EditWithResult): boolean {
  return attempts.some(({ errorCode }) => errorCode !== 'UNREACHABLE');
}

const CANCELED = 'The edit was canceled.';

const UNKNOWN =
  'The edit may have been billed, so it is not sent again: an equal request gets this error for 10 minutes, unless it has the header x-retouch-new: true.';
