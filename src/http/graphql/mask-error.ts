import { GraphQLError } from 'graphql';
import { isBadValue } from '../../database/bad-value.ts';
import { isUnreachable } from '../../database/unreachable.ts';
import {
  ForbiddenError,
  InvalidInputError,
  NotConfiguredError,
  NotFoundError,
  StorageError,
  SubscriptionDroppedError,
  UnavailableError,
} from '../../errors.ts';
import type { Log } from '../../log.ts';
import { DATABASE_RETRY_SECONDS } from '../answer-error.ts';
import { CSRF_MESSAGE } from './csrf.ts';

/**
 * The one boundary where errors become what clients see. A GraphQLError was made for them; of our
 * own, those that a client can act on keep their words; everything else is logged and hidden.
 */
export function maskError(error: unknown, log: Log): GraphQLError {
  const thrown = error instanceof GraphQLError ? (error.originalError ?? error) : error;
  const original = isUnreachable(thrown) ? databaseAway(thrown) : thrown;
  const place =
    error instanceof GraphQLError ? { nodes: error.nodes, path: error.path } : undefined;
  if (original instanceof GraphQLError) return withCode(error as GraphQLError);
  if (original instanceof InvalidInputError) {
    const { message, field } = original;
    return new GraphQLError(message, { ...place, extensions: { code: 'BAD_USER_INPUT', field } });
  }
  if (isBadValue(original)) {
    return new GraphQLError('The input contains a value that is not valid for its field.', {
      ...place,
      extensions: { code: 'BAD_USER_INPUT' },
    });
  }
  if (original instanceof UnavailableError || original instanceof StorageError) {
    log.error({ err: original }, 'request rejected: a dependency is unavailable');
    const retryAfterSeconds =
      original instanceof UnavailableError ? original.retryAfterSeconds : 30;
    return new GraphQLError(original.message, {
      ...place,
      extensions: {
        code: original.code,
        http: { status: 503, headers: { 'retry-after': String(retryAfterSeconds) } },
      },
    });
  }
  if (
    original instanceof ForbiddenError ||
    original instanceof NotConfiguredError ||
    original instanceof NotFoundError ||
    original instanceof SubscriptionDroppedError
  ) {
    return new GraphQLError(original.message, { ...place, extensions: { code: original.code } });
  }
  if (isAbort(original)) return new GraphQLError('The client closed the request.', place);
  log.error({ err: original }, 'unexpected error');
  return new GraphQLError('Unexpected error.', {
    ...place,
    extensions: { code: 'INTERNAL_SERVER_ERROR' },
  });
}

function databaseAway(cause: unknown): UnavailableError {
  const message =
    'The connection to the database was lost, so the operation may or may not have completed. Try again later; with the same idempotencyKey, an edit is made only once.';
  return new UnavailableError(message, DATABASE_RETRY_SECONDS, { cause });
}

/** The libraries' own errors have none. */
function withCode(error: GraphQLError): GraphQLError {
  const { code, http } = error.extensions;
  if (code !== undefined) return error;
  const isCsrf = (http as { status?: number } | undefined)?.status === 403;
  return new GraphQLError(isCsrf ? CSRF_MESSAGE : error.message, {
    nodes: error.nodes,
    source: error.source,
    positions: error.positions,
    path: error.path,
    extensions: { ...error.extensions, code: isCsrf ? 'CSRF_PREVENTED' : 'BAD_USER_INPUT' },
  });
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
