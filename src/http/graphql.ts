import type { IncomingMessage, ServerResponse } from 'node:http';
import { useCSRFPrevention } from '@graphql-yoga/plugin-csrf-prevention';
import { GraphQLError, type GraphQLSchema } from 'graphql';
import { createYoga, type YogaServerInstance } from 'graphql-yoga';
import type { Viewer } from '../auth/viewer.ts';
import { isBadValue } from '../database/bad-value.ts';
import { isUnreachable } from '../database/unreachable.ts';
import {
  ForbiddenError,
  InvalidInputError,
  NotConfiguredError,
  NotFoundError,
  StorageError,
  SubscriptionDroppedError,
  UnavailableError,
} from '../errors.ts';
import type { Log } from '../log.ts';
import type { Context, Services } from '../schema/context.ts';
import { createLoaders } from '../schema/loaders.ts';
import { DATABASE_RETRY_SECONDS } from './answer-error.ts';
import { useApolloMultipart } from './apollo-multipart.ts';
import { CSRF_HEADERS, CSRF_MESSAGE } from './csrf.ts';
import { useQueryLimits } from './query-limits.ts';
import type { TakePlace } from './upload-places.ts';
import { useUploads } from './uploads.ts';

/** What the HTTP server knows of a request before GraphQL sees it. */
export interface RequestContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly viewer: Viewer;
  readonly baseUrl: string;
  readonly log: Log;
}

/** A schema behind every transport. */
export interface Graphql {
  /** Where it is served. */
  readonly path: string;
  readonly yoga: YogaServerInstance<RequestContext, Context>;
  /** What a client sees of an error that did not pass through Yoga's own handling. */
  maskError(error: unknown): GraphQLError;
}

/**
 * A schema on a path. Which other origins read an answer is not decided here (cors.ts); requests that
 * a browser sends without asking first need a CSRF header.
 */
export function createGraphql(options: {
  path: string;
  schema: GraphQLSchema;
  services: Services;
  maxFileBytes: number;
  /** Shared by all that receives uploads. */
  takePlace: TakePlace;
  log: Log;
}): Graphql {
  const { path, schema, services, maxFileBytes, takePlace, log } = options;
  const yoga = createYoga<RequestContext, Context>({
    schema,
    graphqlEndpoint: path,
    cors: false,
    batching: false,
    landingPage: false,
    healthCheckEndpoint: '/health/graphql',
    // Bodies are read and limited by useUploads.
    multipart: false,
    maxRequestBodySize: false,
    // The page is GraphiqlRoute's.
    graphiql: false,
    context: ({ viewer, baseUrl, request }) => ({
      ...services,
      viewer,
      loaders: createLoaders({ ...services, viewer }),
      baseUrl,
      signal: request.signal,
    }),
    // 1. may this request be here; 2. read it; 3. is it small enough to be run; 4. answer in the way
    // that is asked for.
    plugins: [
      useCSRFPrevention({ requestHeaders: CSRF_HEADERS }),
      useUploads({ maxFileBytes, takePlace }),
      useQueryLimits(),
      useApolloMultipart(),
    ],
    maskedErrors: { maskError: (error) => maskError(error, log) },
    logging: {
      debug: () => {},
      info: () => {},
      warn: (...args) => log.warn({ args }, 'yoga'),
      error: (...args) => log.error({ err: args[0] }, 'yoga'),
    },
  });
  return { path, yoga, maskError: (error) => maskError(error, log) };
}

/**
 * The one boundary where errors become what clients see. A GraphQLError was made for them; of our
 * own, those that a client can act on keep their words; everything else is logged and hidden.
 */
function maskError(error: unknown, log: Log): GraphQLError {
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
    return new GraphQLError('The input holds a value that is not valid where it stands.', {
      ...place,
      extensions: { code: 'BAD_USER_INPUT' },
    });
  }
  if (original instanceof UnavailableError || original instanceof StorageError) {
    log.error({ err: original }, 'request not served');
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
  if (isAbort(original)) return new GraphQLError('The request was ended by the client.', place);
  log.error({ err: original }, 'unexpected error');
  return new GraphQLError('Unexpected error.', {
    ...place,
    extensions: { code: 'INTERNAL_SERVER_ERROR' },
  });
}

function databaseAway(cause: unknown): UnavailableError {
  const message =
    'The database went away meanwhile: what you asked for may have been done or not. Try again later; with the same idempotencyKey an edit is made once.';
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
