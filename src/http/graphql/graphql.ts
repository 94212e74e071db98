import type { IncomingMessage, ServerResponse } from 'node:http';
import { useCSRFPrevention } from '@graphql-yoga/plugin-csrf-prevention';
import type { GraphQLError, GraphQLSchema } from 'graphql';
import { createYoga, type YogaServerInstance } from 'graphql-yoga';
import type { AccessWatch, OpenedAccess } from '../../auth/access-watch.ts';
import type { Log } from '../../log.ts';
import type { Context, Services } from '../../schema/context.ts';
import { createInlineImages } from '../../schema/inline-images.ts';
import { createLoaders } from '../../schema/loaders.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { Traces } from '../../telemetry/traces.ts';
import type { StreamPlaces } from '../stream-places.ts';
import type { TakePlace } from '../upload-places.ts';
import { useApolloMultipart } from './apollo-multipart.ts';
import { useContentNegotiation, useNotAcceptable } from './content-negotiation.ts';
import { CSRF_HEADERS } from './csrf.ts';
import { useEditScope } from './edit-scope.ts';
import { useInlineImages } from './inline-images.ts';
import { maskError } from './mask-error.ts';
import { createOpenStreams } from './open-streams.ts';
import {
  DOCUMENT_ID,
  type PersistedOperations,
  usePersistedOperations,
} from './persisted/persisted-operations.ts';
import { useQueryLimits } from './query-limits.ts';
import { createReportErrors, type ReportErrors, useErrorReports } from './report-errors.ts';
import { useTraceOperations } from './trace-operations.ts';
import { useUploads } from './uploads.ts';

/** Facts about a request that the HTTP server determines before GraphQL. */
export interface RequestContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly access: OpenedAccess;
  readonly baseUrl: string;
  /** As in the response and the log. */
  readonly requestId: string;
  readonly log: Log;
}

/** A schema behind all transports. */
export interface Graphql {
  /** Its path. */
  readonly path: string;
  readonly yoga: YogaServerInstance<RequestContext, Context>;
  readonly persistedOperations: PersistedOperations;
  /** Cuts subscriptions over HTTP, so that clients subscribe again. */
  cutStreams(): void;
  /** Call with each result that did not pass through Yoga's own handling. */
  readonly reportErrors: ReportErrors;
  /** Renders an error that did not pass through Yoga's own handling. */
  maskError(error: unknown): GraphQLError;
}

/**
 * Serves a schema at a path. cors.ts decides which other origins may read a response; requests that
 * browsers send without a preflight need a CSRF header.
 */
export function createGraphql(options: {
  path: string;
  schema: GraphQLSchema;
  services: Services;
  maxFileBytes: number;
  /** Shared by all routes that receive uploads. */
  takePlace: TakePlace;
  accessWatch: AccessWatch;
  streamPlaces: StreamPlaces;
  persistedOperations: PersistedOperations;
  traces: Traces;
  metrics: Metrics;
  log: Log;
}): Graphql {
  const { path, schema, services, maxFileBytes, takePlace, accessWatch, log } = options;
  const reportErrors = createReportErrors({ metrics: options.metrics });
  const { persistedOperations, traces } = options;
  const streams = createOpenStreams({ accessWatch, places: options.streamPlaces });
  const masked = new WeakSet();
  const yoga = createYoga<RequestContext, Context>({
    schema,
    graphqlEndpoint: path,
    cors: false,
    batching: false,
    extraParamNames: [DOCUMENT_ID],
    landingPage: false,
    healthCheckEndpoint: '/health/graphql',
    // useUploads reads and limits bodies.
    multipart: false,
    maxRequestBodySize: false,
    // GraphiqlRoute serves the page.
    graphiql: false,
    context: ({ access: { viewer }, baseUrl, request, requestId }) => ({
      ...services,
      viewer,
      requestId,
      loaders: createLoaders({ ...services, viewer }),
      inlineImages: createInlineImages(services.blobs),
      baseUrl,
      signal: request.signal,
    }),
    // 1. Check that the request is allowed and readable; 2. read it; 3. limit its size;
    // 4. respond in the accepted media type.
    plugins: [
      useCSRFPrevention({ requestHeaders: CSRF_HEADERS }),
      useContentNegotiation(),
      useUploads({ maxFileBytes, takePlace }),
      usePersistedOperations(persistedOperations),
      useQueryLimits(),
      useEditScope(),
      useTraceOperations(traces),
      useInlineImages(),
      useApolloMultipart(),
      useNotAcceptable(),
      useErrorReports(reportErrors),
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
      // Yoga passes masked errors again; those were logged already.
      error: (...args) => {
        if (!masked.has(args[0])) log.error({ err: args[0] }, 'yoga');
      },
    },
  });
  return {
    path,
    yoga,
    persistedOperations,
    cutStreams: streams.cut,
    reportErrors,
    maskError: (error) => maskError(error, log),
  };
}
