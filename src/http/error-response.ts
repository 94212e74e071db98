import { isBadValue } from '../database/bad-value.ts';
import { isUnreachable } from '../database/unreachable.ts';
import {
  InvalidInputError,
  LimitExceededError,
  RetouchError,
  UnavailableError,
} from '../errors.ts';
import { formatAmount } from '../limits/limit-state.ts';

/** What a client learns of an error. GraphQL, REST and sockets each render the same one. */
export interface ErrorResponse {
  /** Status of an HTTP response that consists of this error. */
  readonly status: number;
  /** Machine-readable, UPPER_SNAKE_CASE, stable across releases. */
  readonly code: string;
  readonly message: string;
  /** Further machine-readable facts, such as the invalid field. */
  readonly details: Readonly<Record<string, unknown>>;
  readonly retryAfterSeconds: number | null;
  /** Whose fault it is: `server` errors are logged in full, `client` errors in one line. */
  readonly fault: 'client' | 'server' | 'disconnect';
}

/** Seconds after which a client should retry while the database is unavailable. */
export const DATABASE_RETRY_SECONDS = 5;

/**
 * The one mapping from errors to responses. Deliberate errors with an HTTP status keep their code
 * and message; any other error becomes INTERNAL_SERVER_ERROR without its message.
 */
export function toErrorResponse(error: unknown): ErrorResponse {
  if (isUnreachable(error)) return toErrorResponse(databaseUnavailable(error));
  if (error instanceof InvalidInputError) {
    const { responseStatus: status, message, field, problems } = error;
    return client(status, 'BAD_USER_INPUT', message, { field, problems });
  }
  if (isBadValue(error)) return client(400, 'BAD_USER_INPUT', BAD_VALUE);
  if (error instanceof RetouchError && error.responseStatus !== null) {
    const { responseStatus: status, code, message, retryAfterSeconds } = error;
    if (status < 500 || status === 501) {
      return { ...client(status, code, message, detailsOf(error)), retryAfterSeconds };
    }
    const fault = retryAfterSeconds === null ? 'client' : 'server';
    return { status, code, message, details: {}, retryAfterSeconds, fault };
  }
  if (error instanceof Error && error.name === 'AbortError') {
    return { ...client(499, 'CLIENT_CLOSED_REQUEST', DISCONNECTED), fault: 'disconnect' };
  }
  return { ...client(500, 'INTERNAL_SERVER_ERROR', 'Unexpected error.'), fault: 'server' };
}

function client(
  status: number,
  code: string,
  message: string,
  details: ErrorResponse['details'] = {},
): ErrorResponse {
  return { status, code, message, details, retryAfterSeconds: null, fault: 'client' };
}

/** The fields of the typed error in GraphQL. */
function detailsOf(error: RetouchError): ErrorResponse['details'] {
  if (!(error instanceof LimitExceededError)) return {};
  const { measure, limit, used, remaining, resetsAt } = error;
  const amount = (units: bigint) => formatAmount(measure, units);
  return {
    measure,
    limit: amount(limit),
    used: amount(used),
    remaining: amount(remaining),
    resetsAt,
  };
}

function databaseUnavailable(cause: unknown): UnavailableError {
  return new UnavailableError(DATABASE_LOST, DATABASE_RETRY_SECONDS, { cause });
}

const DATABASE_LOST =
  'The connection to the database was lost, so the request may or may not have taken effect. Retry later; with the same idempotencyKey an edit runs only once.';

const BAD_VALUE = 'The input contains a value that is not valid for its field.';

const DISCONNECTED = 'The client closed the request.';
