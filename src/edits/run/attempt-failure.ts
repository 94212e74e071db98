import { EditErrorCode } from '../../edits-api/edit-error-codes.ts';
import type { EditsApiAnswer } from '../../edits-api/edits-api.ts';
import { EditsApiError } from '../../edits-api/edits-api-error.ts';
import type { Failure } from '../end/end-edit.ts';

/** What is stored of an error that ended an attempt. */
export function toFailure(error: unknown): Failure & Pick<EditsApiError, 'outcome'> {
  if (error instanceof EditsApiError) {
    const { code, message, outcome, httpStatus, upstreamRequestId, moderationDetails } = error;
    return { code, message, outcome, httpStatus, upstreamRequestId, moderationDetails };
  }
  return {
    code: EditErrorCode.INTERNAL,
    message: 'An internal error on this server. Its log contains the reason under the edit’s id.',
    // The request may have been sent before.
    outcome: 'unknown',
    httpStatus: null,
    upstreamRequestId: null,
  };
}

/** Whether the failure was in this process, after the request was sent. */
export function isLocal(error: unknown): boolean {
  const { code, outcome } = toFailure(error);
  return code === EditErrorCode.INTERNAL && outcome === 'unknown';
}

/** Status and request id of the response that an error came with. */
export function headOf(
  error: unknown,
): Partial<Pick<EditsApiAnswer, 'httpStatus' | 'upstreamRequestId'>> {
  if (!(error instanceof EditsApiError)) return {};
  const { httpStatus, upstreamRequestId } = error;
  return { ...(httpStatus !== null && { httpStatus }), upstreamRequestId };
}
