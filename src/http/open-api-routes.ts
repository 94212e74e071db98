import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { credentialsOf } from '../auth/credentials.ts';
import type { OpenAuth } from '../auth/open-auth.ts';
import type { Viewer } from '../auth/viewer.ts';
import { ownerOf } from '../auth/visible.ts';
import { type AuthSettings, isAuthOn } from '../config/auth-settings.ts';
import type { Config } from '../config/config.ts';
import type { Availability } from '../database/availability.ts';
import type { Responses } from '../edits/submit/responses.ts';
import type { EditWaits } from '../edits/watch/edit-waits.ts';
import type { ExportEdits } from '../export/export-edits.ts';
import { mediaOf } from '../images/images.ts';
import type { KnownImages } from '../images/known-images.ts';
import { createSmallBlobs } from '../images/storage/small-blobs.ts';
import type { Thumbnails } from '../images/thumbnails/thumbnails.ts';
import type { RequestLimits } from '../limits/request-limits.ts';
import type { Log } from '../log.ts';
import { createTrustedProxies } from '../net/trusted-proxies.ts';
import { idOf } from '../public-ids/global-id.ts';
import type { Services } from '../schema/context.ts';
import { schema } from '../schema/index.ts';
import { printSorted } from '../schema/print-schema.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Traces } from '../telemetry/traces.ts';
import { createApiRoutes } from './api-routes.ts';
import { createCors } from './cors.ts';
import { createForwarded } from './forwarded.ts';
import type { OperationList } from './graphql/persisted/operation-list.ts';
import { openEndpoints } from './open-endpoints.ts';
import { openOpenaiRoutes } from './openai/open-openai-routes.ts';
import { isAzureRequest } from './openai/openai-dialect.ts';
import { createRequestOrigins } from './origin.ts';
import { createGraphiqlRoute, type GraphiqlRoute } from './page/graphiql-route.ts';
import { createExportRoute } from './rest/export-route.ts';
import { createImageRoute } from './rest/image-route.ts';
import { createSchemaRoute } from './rest/schema-route.ts';
import { createSignedImageRoute } from './rest/signed-image-route.ts';
import { createUploadRoute } from './rest/upload-route.ts';
import type { Routes } from './server.ts';
import { createStalledResponses } from './stalled-responses.ts';
import { createTakePlace, createUploadPlaces } from './upload-places.ts';

/** What `npm run build:page` makes of src/graphiql. */
const GRAPHIQL_DIR = join(import.meta.dirname, '../../build/graphiql');

/** The API over every transport, the images and the page. */
export interface OpenApiRoutes {
  readonly routes: Routes;
  /** Ends subscriptions so that clients subscribe again elsewhere. New requests must be refused. */
  endStreams(): Promise<void>;
  close(): Promise<void>;
}

export function openApiRoutes(options: {
  config: Config;
  auth: OpenAuth;
  requestLimits: RequestLimits;
  services: Services;
  knownImages: KnownImages;
  thumbnails: Thumbnails;
  exportEdits: ExportEdits;
  editWaits: EditWaits;
  responses: Responses;
  availability: Availability;
  /** Operations that clients may run by their ids. */
  operationList: OperationList;
  traces: Traces;
  metrics: Metrics;
  log: Log;
}): OpenApiRoutes {
  const { services, knownImages, thumbnails, exportEdits, availability, requestLimits, log } =
    options;
  const { http, limits, auth } = options.config;
  const { authenticator, accessWatch } = options.auth;
  const { images, imageLinks, blobs, uploads } = services;
  const forwarded = createForwarded({
    isTrusted: createTrustedProxies(http.trustedProxies),
    hasProxies: http.trustedProxies.length > 0,
  });
  // By owner, or else by address: none may take all the places.
  const ownerOfRequest = new WeakMap<IncomingMessage, string>();
  const takePlace = createTakePlace(
    createUploadPlaces({ maxBytes: limits.concurrentUploadBytes, metrics: options.metrics }),
    (req) => ownerOfRequest.get(req) ?? forwarded.client(req),
  );
  const maxFileBytes = limits.imageBytes;
  const endpoints = openEndpoints({ ...options, takePlace });
  const stalled = createStalledResponses({
    onStalled: () => log.info('closed stalled response'),
  });

  const openaiApi = openOpenaiRoutes({ ...options, takePlace });

  const imageRoute = createImageRoute<Viewer>({
    find: async (reader, globalId) => {
      const id = idOf('Image', globalId);
      if (id === null) return null;
      const image = await ('viewer' in reader
        ? knownImages.find(reader.viewer, id)
        : knownImages.findOfAnyOwner(id));
      return image && { ...image, format: mediaOf(image.format).name };
    },
    credentialHeaders: credentialHeaders(auth),
    blobs,
    smallBlobs: createSmallBlobs({ blobs }),
    thumbnails,
    onError: (error, imageId) => log.error({ err: error, imageId }, 'could not serve an image'),
  });
  const routes = createApiRoutes({
    prefix: http.prefix,
    origins: createRequestOrigins({
      publicUrl: http.publicUrl,
      allowedHosts: http.allowedHosts,
      corsOrigins: http.corsOrigins,
      forwarded,
    }),
    cors: createCors({ origins: http.corsOrigins }),
    corsOrigins: http.corsOrigins,
    authenticator,
    accessWatch,
    requestLimits,
    onAdmitted: (req, { viewer }) => {
      // Nothing is uploaded by GET.
      if (authenticator.isOn && req.method !== 'GET') ownerOfRequest.set(req, ownerOf(viewer));
    },
    credentialsOf: (req) => ({
      ...credentialsOf(req.headers, isAzureRequest(req) ? 'api-key' : 'x-api-key'),
      proxyUser: auth.header && forwarded.user(req, auth.header.name),
    }),
    endpoints,
    graphiql: openPage(options.config),
    imageRoute,
    signedImageRoute: createSignedImageRoute({ imageLinks, imageRoute, availability }),
    uploadRoute: createUploadRoute({
      uploads,
      images,
      imageLinks,
      takePlace,
      maxFileBytes,
      onError: (error) => log.error({ err: error }, 'upload failed'),
    }),
    exportRoute: createExportRoute({ exportEdits, log }),
    schemaRoute: createSchemaRoute(() => printSorted(schema)),
    openaiRoutes: openaiApi.routes,
    availability,
    stalled,
  });
  return {
    routes,
    async endStreams() {
      // Connections first: a client that loses its connection subscribes again by itself, one
      // whose subscription ends with an error does not.
      const opened = await Promise.all(endpoints.map((endpoint) => endpoint.opened() ?? []));
      for (const { graphql } of opened.flat()) graphql.cutStreams();
      await Promise.all(opened.flat().map(({ sockets }) => sockets.stop()));
    },
    async close() {
      stalled.stop();
      await openaiApi.close();
    },
  };
}

function credentialHeaders(auth: AuthSettings): readonly string[] {
  if (!isAuthOn(auth)) return [];
  return ['Authorization', 'X-Api-Key', ...(auth.header === null ? [] : [auth.header.name])];
}

/** Null if GRAPHIQL turns it off. */
function openPage({ http, editsApi, auth }: Config): GraphiqlRoute | null {
  if (!http.graphiql) return null;
  const sandbox = editsApi.kind === 'sandbox';
  return createGraphiqlRoute({ dir: GRAPHIQL_DIR, sandbox, auth: isAuthOn(auth) });
}
