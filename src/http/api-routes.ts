import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AccessWatch, OpenedAccess } from '../auth/access-watch.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import type { Credentials } from '../auth/credentials.ts';
import type { Viewer } from '../auth/viewer.ts';
import type { Availability } from '../database/availability.ts';
import type { RequestLimits } from '../limits/request-limits.ts';
import type { Log } from '../log.ts';
import { createAdmission } from './admission.ts';
import type { Cors } from './cors.ts';
import { isForbiddenRead } from './cross-site.ts';
import { prepareResponse } from './graphql/prepare-response.ts';
import type { LazyEndpoint } from './open-endpoints.ts';
import { isOpenaiPath } from './openai/openai-dialect.ts';
import type { OpenaiRoutes } from './openai/openai-routes.ts';
import type { RequestOrigins } from './origin.ts';
import type { GraphiqlRoute } from './page/graphiql-route.ts';
import type { ExportRoute } from './rest/export-route.ts';
import type { ImageRoute } from './rest/image-route.ts';
import type { SchemaRoute } from './rest/schema-route.ts';
import type { SignedImageRoute } from './rest/signed-image-route.ts';
import type { UploadRoute } from './rest/upload-route.ts';
import { isOpen, matchRoute, type OpenRouteName, type ViewerRouteName } from './route-table.ts';
import { rejectUpgrade, sendDatabaseUnavailable, sendError } from './send-error.ts';
import type { Routes } from './server.ts';
import type { StalledResponses } from './stalled-responses.ts';

/** The API, its page and the images, for viewers who may use them. */
export function createApiRoutes(options: {
  /** Path under which clients reach all this; empty for the root. */
  prefix: string;
  origins: RequestOrigins;
  cors: Cors;
  /** Origins whose pages may read images and exports. */
  corsOrigins: readonly string[];
  authenticator: Authenticator;
  credentialsOf: (req: IncomingMessage) => Credentials;
  accessWatch: AccessWatch;
  requestLimits: RequestLimits;
  /** Called before a byte of the body is read. */
  onAdmitted: (req: IncomingMessage, access: OpenedAccess) => void;
  endpoints: readonly LazyEndpoint[];
  /** Null: browsers get what any client gets. */
  graphiql: GraphiqlRoute | null;
  imageRoute: ImageRoute<Viewer>;
  signedImageRoute: SignedImageRoute;
  uploadRoute: UploadRoute;
  exportRoute: ExportRoute;
  schemaRoute: SchemaRoute;
  openaiRoutes: OpenaiRoutes;
  availability: Availability;
  stalled: StalledResponses;
}): Routes {
  const { prefix, origins, cors, graphiql, imageRoute, uploadRoute, exportRoute } = options;
  const { schemaRoute, openaiRoutes, signedImageRoute, credentialsOf, accessWatch } = options;
  const { availability, stalled } = options;
  const { admit, count } = createAdmission(options);
  const endpoints = new Map(options.endpoints.map((one) => [one.path, one]));

  /** A response that may take long ends with the access of its client. */
  function endWith(access: OpenedAccess, res: ServerResponse): void {
    res.once(
      'close',
      accessWatch.watch(access, () => res.destroy()),
    );
  }

  const open: Record<OpenRouteName, Handler> = {
    page: ({ req, res }) => graphiql?.page(req, res),
    asset: ({ req, res, id }) => (graphiql ? graphiql.asset(req, res, id) : sendNotFound(res)),
    root({ req, res }) {
      if (req.method === 'GET') res.writeHead(307, { location: `${prefix}/graphql` }).end();
      else sendNotFound(res);
    },
  };
  const serveGraphql = (endpoint: LazyEndpoint | undefined) =>
    async function handle({ req, res, access, log }: ViewerRequest) {
      stalled.watch(res);
      res.setHeader('cache-control', 'no-store');
      res.setHeader('x-content-type-options', 'nosniff');
      const [requestId, baseUrl] = [String(res.getHeader('x-request-id')), origins.baseUrl(req)];
      const { graphql } = (await endpoint?.open()) ?? {};
      await graphql?.yoga(req, res, { req, res, access, baseUrl, requestId, log });
    };
  const forViewers: Record<ViewerRouteName, (request: ViewerRequest) => unknown> = {
    graphql: serveGraphql(endpoints.get('/graphql')),
    subgraph: serveGraphql(endpoints.get('/graphql/subgraph')),
    schema: ({ req, res }) => schemaRoute(req, res),
    upload: ({ req, res, access: { viewer } }) =>
      uploadRoute(req, res, { viewer, baseUrl: origins.baseUrl(req) }),
    image: ({ req, res, id, access: { viewer } }) => imageRoute(req, res, id, { viewer }),
    exportEdits({ req, res, access }) {
      endWith(access, res);
      return exportRoute(req, res, { viewer: access.viewer, baseUrl: origins.baseUrl(req) });
    },
    ...forOpenai(openaiRoutes, ({ req, res, access }) => {
      stalled.watch(res);
      endWith(access, res);
      return origins.baseUrl(req);
    }),
  };

  const match: Match = (req, path) => matchRoute(path, graphiql?.isPage(req) === true);
  return {
    nameOf: (req, path) => match(req, path)?.name ?? 'none',

    async request(req, res, path, log) {
      const { name, id } = match(req, path) ?? { name: null, id: '' };
      // Neither an image nor the short report of a problem with one is compressed.
      if (name !== 'image') prepareResponse(req, res);
      if (!origins.isHostAllowed(req)) {
        return sendError(res, 403, 'FORBIDDEN_HOST', FORBIDDEN_HOST);
      }
      if (cors.answerPreflight(req, res)) return;
      if (name !== null && isOpen(name)) return open[name]({ req, res, id });
      // Before the checks of the viewer and of the page: the URL itself is the permission.
      if (name === 'image' && (await signedImageRoute(req, res, id))) return;
      const foreign = foreignPage(req, path, options);
      if (foreign !== null) return sendError(res, 403, 'FORBIDDEN_ORIGIN', foreign);
      const access = await admit(req, res, log);
      if (access === null) return;
      // Check before the body is read, which would be useless.
      const needsDatabase = name !== null && name !== 'schema';
      if (needsDatabase && !(await availability.check())) return sendDatabaseUnavailable(res);
      if (!(await count(access.viewer, res, log))) return;
      if (name === null) return sendNotFound(res);
      await forViewers[name]({ req, res, id, access, log });
    },

    upgrade(req, socket, head, path, connection) {
      const endpoint = endpoints.get(path);
      if (!origins.isHostAllowed(req)) {
        rejectUpgrade(socket, 403, 'FORBIDDEN_HOST', FORBIDDEN_HOST);
      } else if (endpoint === undefined) {
        const paths = [...endpoints.keys()].join(' and ');
        rejectUpgrade(socket, 404, 'NOT_FOUND', `WebSockets are only available at ${paths}.`);
      } else if (!origins.isOriginAllowed(req)) {
        rejectUpgrade(socket, 403, 'FORBIDDEN_ORIGIN', FORBIDDEN_SOCKET);
      } else {
        endpoint.accept(req, socket, head, {
          credentials: credentialsOf(req),
          baseUrl: origins.baseUrl(req),
          ...connection,
        });
      }
    },
  };
}

/** @param begin Called first; returns the base of links. */
function forOpenai(
  routes: OpenaiRoutes,
  begin: (request: ViewerRequest) => string,
): Record<keyof OpenaiRoutes, (request: ViewerRequest) => unknown> {
  const serve = (name: keyof OpenaiRoutes) => (request: ViewerRequest) =>
    routes[name]({ ...request, viewer: request.access.viewer, baseUrl: begin(request) });
  return {
    openaiEdits: serve('openaiEdits'),
    azureEdits: serve('azureEdits'),
    openaiModels: serve('openaiModels'),
    openaiModel: serve('openaiModel'),
    openaiOther: serve('openaiOther'),
  };
}

type Match = (req: IncomingMessage, path: string) => ReturnType<typeof matchRoute>;

interface Request {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** Of the object that the path names. */
  readonly id: string;
}

interface ViewerRequest extends Request {
  readonly access: OpenedAccess;
  readonly log: Log;
}

type Handler = (request: Request) => unknown;

/** Why a page of another site may not make the request. Null: it may, or no page makes it. */
function foreignPage(
  req: IncomingMessage,
  path: string,
  { origins, corsOrigins }: { origins: RequestOrigins; corsOrigins: readonly string[] },
): string | null {
  if (READ.test(path) && isForbiddenRead(req, corsOrigins)) return FORBIDDEN_READ;
  // Clients of this API send no header that makes a browser ask first.
  return isOpenaiPath(path) && !origins.isOriginAllowed(req) ? FORBIDDEN_POST : null;
}

function sendNotFound(res: ServerResponse): void {
  sendError(res, 404, 'NOT_FOUND', 'Not found. The API is at /graphql.');
}

const READ = /^\/(images|export)\//;

const FORBIDDEN_READ =
  'Pages of other sites cannot embed images and exports. Pages of the origins in CORS_ORIGINS can read them with fetch() in mode "cors".';

const FORBIDDEN_POST =
  'This API is only open to pages of the service’s own origin and of the origins in CORS_ORIGINS.';

const FORBIDDEN_SOCKET =
  'WebSockets are only open to pages of the service’s own origin and of the origins in CORS_ORIGINS.';

const FORBIDDEN_HOST =
  'The Host header names a host that is not allowed. ALLOWED_HOSTS lists the allowed names besides localhost.';
