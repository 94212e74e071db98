import { GraphQLError } from 'graphql';
import type { Log } from '../../log.ts';
import { toErrorResponse } from '../error-response.ts';
import { CSRF_MESSAGE } from './csrf.ts';

/**
 * Renders an error for GraphQL clients, at the one boundary that all errors pass. A GraphQLError is
 * returned as it is; any other error becomes its ErrorResponse. Server errors are logged.
 */
export function maskError(error: unknown, log: Log): GraphQLError {
  const wrapper = error instanceof GraphQLError ? error : null;
  const original = wrapper === null ? error : (wrapper.originalError ?? wrapper);
  if (original instanceof GraphQLError) return withCode(wrapper ?? original);
  const { status, code, message, details, retryAfterSeconds, fault } = toErrorResponse(original);
  if (fault === 'server') {
    log.error({ err: original }, retryAfterSeconds === null ? 'unexpected error' : 'unavailable');
  }
  return new GraphQLError(message, {
    nodes: wrapper?.nodes,
    path: wrapper?.path,
    extensions: {
      code,
      ...details,
      // Other fields may have values, so only an overload decides the status of the response.
      ...(retryAfterSeconds !== null && {
        http: { status, headers: { 'retry-after': String(retryAfterSeconds) } },
      }),
    },
  });
}

/** Adds the code that errors of libraries lack. */
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
