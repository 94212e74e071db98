import type { IncomingMessage, ServerResponse } from 'node:http';
import { useCSRFPrevention } from '@graphql-yoga/plugin-csrf-prevention';
import type { GraphQLError, GraphQLSchema } from 'graphql';
import { createYoga, type YogaServerInstance } from 'graphql-yoga';
import type { Viewer } from '../../auth/viewer.ts';
import type { Log } from '../../log.ts';
import type { Context, Services } from '../../schema/context.ts';
import { createInlineImages } from '../../schema/inline-images.ts';
import { createLoaders } from '../../schema/loaders.ts';
import type { TakePlace } from '../upload-places.ts';
import { useApolloMultipart } from './apollo-multipart.ts';
import { useMistakesLog } from './client-errors-log.ts';
import { useContentNegotiation, useNotAcceptable } from './content-negotiation.ts';
import { CSRF_HEADERS } from './csrf.ts';
import { useInlineImages } from './inline-images.ts';
import { maskError } from './mask-error.ts';
import { createOpenStreams } from './open-streams.ts';
import { usePersistedQueryRefusal } from './persisted-queries.ts';
import { useQueryLimits } from './query-limits.ts';
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
  /** Cuts the streams of subscriptions by HTTP off, so that clients subscribe again. */
  cutStreams(): void;
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
  const streams = createOpenStreams();
  const masked = new WeakSet();
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
      inlineImages: createInlineImages(services.blobs),
      baseUrl,
      signal: request.signal,
    }),
    // 1. may this request be here, and can it be read; 2. read it; 3. is it small enough to be run;
    // 4. answer in the way that is asked for.
    plugins: [
      useCSRFPrevention({ requestHeaders: CSRF_HEADERS }),
      useContentNegotiation(),
      useUploads({ maxFileBytes, takePlace }),
      usePersistedQueryRefusal(),
      useQueryLimits(),
      useInlineImages(),
      useApolloMultipart(),
      useNotAcceptable(),
      useMistakesLog(),
      streams.plugin,
    ],
    maskedErrors: {
      maskError(error) {
        if (typeof error === 'object' && error !== null) masked.add(error);
        return maskError(error, log);
      },
    },
    logging: {
      debug: () => {},
      info: () => {},
      warn: (...args) => log.warn({ args }, 'yoga'),
      // Yoga repeats the errors that it has masked: those are logged already as far as they must be.
      error: (...args) => {
        if (!masked.has(args[0])) log.error({ err: args[0] }, 'yoga');
      },
    },
  });
  return { path, yoga, cutStreams: streams.cut, maskError: (error) => maskError(error, log) };
}
