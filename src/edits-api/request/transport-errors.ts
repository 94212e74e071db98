import { hasCode } from '../../net/outbound-proxies.ts';
import type { EditErrorCode } from '../edit-error-codes.ts';
import { EditsApiError } from '../edits-api-error.ts';
import type { CallLimits } from './call-limits.ts';
import type { MultipartBody } from './multipart-body.ts';

/**
 * The error of a call without a response.
 *
 * Its outcome follows from how much of the body was sent. If nothing was, there was no request. If
 * the body was interrupted, the server lacks the closing boundary and Content-Length bytes, so it
 * could not begin. Once the last byte was handed over, it may have arrived, whatever happened to
 * the connection. A call that we aborted counts as unknown as soon as a byte was sent: nobody waits
 * for a retry, so a finer distinction gains nothing.
 */
export function errorOfTransport(
  error: unknown,
  body: MultipartBody,
  endedBy: CallLimits['endedBy'],
): EditsApiError {
  const { progress, failure } = body;
  if (endedBy !== null) return errorOfLimits(endedBy, progress !== 'unsent');
  const fail = (code: EditErrorCode, message: string, cause: unknown = error) =>
    new EditsApiError(code, progress === 'sent' ? 'unknown' : 'not_processed', message, { cause });

  if (failure !== null) return fail('INTERNAL', 'An image could not be read.', failure);
  if (hasCode(error, 'UND_ERR_INVALID_ARG')) {
    return fail('INTERNAL', 'The request to the upstream could not be made.');
  }
  if (error instanceof Error && error.name === 'HTTPParserError') {
    // No `cause`: it contains the invalid bytes, which may echo secrets.
    return fail('BROKEN_ANSWER', 'The upstream sent a response that is not valid HTTP.', null);
  }
  switch (progress) {
    case 'unsent':
      return fail('UNREACHABLE', `The upstream cannot be reached${codeOf(error)}.`);
    case 'sending':
      return fail(
        'CONNECTION_LOST',
        'The connection to the upstream was lost while the request was being sent.',
      );
    case 'sent':
      return fail('CONNECTION_LOST', 'The connection was lost before the upstream responded.');
  }
}

/** The error of a call that was ended on our side. */
export function errorOfLimits(endedBy: 'TIMEOUT' | 'ABORTED', sent: boolean): EditsApiError {
  const message =
    endedBy === 'TIMEOUT'
      ? 'The upstream sent no complete response before the deadline.'
      : 'The call to the upstream was aborted.';
  return new EditsApiError(endedBy, sent ? 'unknown' : 'not_processed', message);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? ` (${error.code})` : '';
}
