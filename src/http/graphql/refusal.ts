import { GraphQLError } from 'graphql';
import { toErrorResponse } from '../error-response.ts';

/** An error that rejects a whole operation before it runs, with the status of its response. */
export function refusalOf(error: unknown): GraphQLError {
  const { code, message, status } = toErrorResponse(error);
  return new GraphQLError(message, { extensions: { code, http: { status } } });
}
