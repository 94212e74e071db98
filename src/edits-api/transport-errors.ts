import { errors } from 'undici';
import { EditsApiError } from '../errors.ts';
import { brokenAnswer } from './answer-errors.ts';
import type { CallLimits } from './call-limits.ts';
import type { MultipartBody } from './multipart-body.ts';

/**
 * The error of a call that got no answer.
 *
 * What it cost follows from how far the body got. Unsent, there was no request. Broken off while
 * being sent, the server lacks the closing boundary and cannot have Content-Length bytes, so no
 * server could begin. Once the last byte was handed over, it may have arrived, whatever the
 * connection said afterwards. A call that we ended ourselves counts as unknown as soon as a byte
 * left: nobody waits for a retry of it, so there is nothing to gain from a finer answer.
 */
export function errorOfTransport(
  cause: unknown,
  body: MultipartBody,
  endedBy: CallLimits['endedBy'],
): EditsApiError {
  const { progress, failure } = body;
  if (endedBy !== null) return errorOfLimits(endedBy, progress !== 'unsent');
  if (failure !== null) {
    return new EditsApiError('INTERNAL', 'not_processed', 'A picture could not be read.', {
      cause: failure,
    });
  }
  const code = codeOf(cause);
  if (progress === 'unsent') {
    return code === 'UND_ERR_INVALID_ARG'
      ? new EditsApiError('INTERNAL', 'not_processed', 'The request cannot be made.', { cause })
      : new EditsApiError('UNREACHABLE', 'not_processed', unreachable(code), { cause });
  }
  if (progress === 'sent' && cause instanceof errors.HTTPParserError) {
    // It carries the bytes it choked on, and with them whatever a server may echo: no cause.
    return brokenAnswer('The edits API answered with something that is not HTTP.');
  }
  return progress === 'sending'
    ? new EditsApiError(
        'CONNECTION_LOST',
        'not_processed',
        'The connection to the edits API broke while the request was being sent.',
        { cause },
      )
    : new EditsApiError(
        'CONNECTION_LOST',
        'unknown',
        'The connection to the edits API broke before it answered.',
        { cause },
      );
}

/** The error of a call that was ended on our side. */
export function errorOfLimits(endedBy: 'TIMEOUT' | 'ABORTED', sent: boolean): EditsApiError {
  const message =
    endedBy === 'TIMEOUT'
      ? 'The edits API gave no whole answer in time.'
      : 'The call to the edits API was aborted.';
  return new EditsApiError(endedBy, sent ? 'unknown' : 'not_processed', message);
}

function unreachable(code: string): string {
  return `The edits API cannot be reached${code === '' ? '' : ` (${code})`}.`;
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  return typeof code === 'string' ? code : '';
}
