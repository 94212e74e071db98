import { EditErrorCode } from '../../edits-api/edit-error-codes.ts';
import type { EditsApiAnswer } from '../../edits-api/edits-api.ts';
import { EditsApiError } from '../../edits-api/edits-api-error.ts';
import type { Failure } from './attempts.ts';

/** What is written down of an error that ended an attempt. */
export function toFailure(error: unknown): Failure & Pick<EditsApiError, 'outcome'> {
  if (error instanceof EditsApiError) {
    const { code, message, outcome, httpStatus, upstreamRequestId } = error;
    return { code, message, outcome, httpStatus, upstreamRequestId };
  }
  return {
    code: EditErrorCode.INTERNAL,
    message: 'Something failed on this server; its log has the reason under the edit’s id.',
    // Whatever it was, it may have come after the call.
    outcome: 'unknown',
    httpStatus: null,
    upstreamRequestId: null,
  };
}

/** Whether the failure was on this side, after the request had gone out. */
export function isOurs(error: unknown): boolean {
  const { code, outcome } = toFailure(error);
  return code === EditErrorCode.INTERNAL && outcome === 'unknown';
}

/** What an error knows of the head of the answer that it came with. */
export function headOf(
  error: unknown,
): Partial<Pick<EditsApiAnswer, 'httpStatus' | 'upstreamRequestId'>> {
  if (!(error instanceof EditsApiError)) return {};
  const { httpStatus, upstreamRequestId } = error;
  return { ...(httpStatus !== null && { httpStatus }), upstreamRequestId };
}
