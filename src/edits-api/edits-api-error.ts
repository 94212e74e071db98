import { RetouchError } from '../errors.ts';
import type { EditErrorCode } from './edit-error-codes.ts';

/**
 * Outcome of a failed call to the edits API:
 * - `not_processed`: certainly not billed; the same call may be sent again.
 * - `refused`: the API returned a final error; sending it again does not help.
 * - `unknown`: it may have been processed and billed; only a person may decide to send it again.
 */
export type EditsApiOutcome = 'not_processed' | 'refused' | 'unknown';

/** Why the upstream's safety system rejected a request, in its own words. */
export interface ModerationDetails {
  /** Such as `input` or `output`; null if it is not reported. */
  readonly stage: string | null;
  readonly categories: readonly string[];
}

/** A call to the edits API that returned no images. */
export class EditsApiError extends RetouchError {
  readonly code: EditErrorCode;
  readonly outcome: EditsApiOutcome;
  readonly httpStatus: number | null;
  readonly upstreamRequestId: string | null;
  /** How long the upstream asks to wait, in `Retry-After`, other headers or the message. */
  override readonly retryAfterSeconds: number | null;
  readonly moderationDetails: ModerationDetails | null;

  constructor(
    code: EditErrorCode,
    outcome: EditsApiOutcome,
    message: string,
    details: {
      httpStatus?: number | null;
      upstreamRequestId?: string | null;
      retryAfterSeconds?: number | null;
      moderationDetails?: ModerationDetails | null;
      cause?: unknown;
    } = {},
  ) {
    super(message, { cause: details.cause });
    this.code = code;
    this.outcome = outcome;
    this.httpStatus = details.httpStatus ?? null;
    this.upstreamRequestId = details.upstreamRequestId ?? null;
    this.retryAfterSeconds = details.retryAfterSeconds ?? null;
    this.moderationDetails = details.moderationDetails ?? null;
  }
}
