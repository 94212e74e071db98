import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Viewer } from '../auth/viewer.ts';
import type { Availability } from '../database/availability.ts';
import type { Log } from '../log.ts';
import type { RequestContext } from './graphql.ts';
import type { GraphqlSockets } from './graphql-sockets.ts';
import type { Health } from './health.ts';
import type { ImageRoute } from './image-route.ts';
import type { RequestOrigins } from './origin.ts';
import { createStalledResponses } from './stalled-responses.ts';

/** A restart takes a few seconds. */
const STOPPING_RETRY_SECONDS = 5;
const DATABASE_RETRY_SECONDS = 5;

export interface HttpServer {
  /** @throws when the address cannot be listened on. */
  start(): Promise<{ url: string }>;
  /**
   * Takes no more connections; what comes over an open one is answered 503. Requests under way go
   * on. Idempotent.
   */
  refuse(): void;
  /** Waits at most `graceMs` for requests under way, then cuts them off; idempotent. */
  stop(options: { graceMs: number }): Promise<void>;
}

/** The routes, and what holds for every request. */
export function createHttpServer(options: {
  host: string;
  port: number;
  origins: RequestOrigins;
  viewer: Viewer;
  graphql: (req: IncomingMessage, res: ServerResponse, context: RequestContext) => unknown;
  graphqlSockets: GraphqlSockets;
  imageRoute: ImageRoute<Viewer>;
  health: Health;
  availability: Availability;
  log: Log;
}): HttpServer {
  const { host, port, origins, viewer, graphql, graphqlSockets, imageRoute, health } = options;
  let closed: Promise<unknown> | undefined;
  const stalled = createStalledResponses({
    onStalled: () => options.log.info('a client reads no more of its answer: cut off'),
  });

  async function route(req: IncomingMessage, res: ServerResponse, log: Log): Promise<void> {
    const path = pathOf(req);
    if (path === '/health/live') return health.live(res);
    if (path === '/health/ready') return health.ready(res);
    if (closed !== undefined) {
      res.setHeader('connection', 'close');
      return unavailable(res, 'The service is stopping.', STOPPING_RETRY_SECONDS);
    }
    if (!origins.isHostAllowed(req)) return answerError(res, 403, 'FORBIDDEN_HOST', FORBIDDEN_HOST);
    const isServed = path === '/graphql' || path.startsWith('/images/');
    // Before a body is read: nothing could be done with it.
    if (isServed && !(await options.availability.check())) {
      return unavailable(res, 'The database does not answer.', DATABASE_RETRY_SECONDS);
    }
    if (path === '/graphql') {
      stalled.watch(res);
      await graphql(req, res, { req, res, viewer, baseUrl: origins.baseUrl(req), log });
      return;
    }
    const [, imageId] = /^\/images\/([\w-]{1,256})$/.exec(path) ?? [];
    if (imageId !== undefined) return imageRoute(req, res, imageId, viewer);
    if (path === '/' && req.method === 'GET') {
      res.writeHead(307, { location: '/graphql' }).end();
      return;
    }
    answerError(res, 404, 'NOT_FOUND', 'There is nothing here. The API is at /graphql.');
  }

  function upgrade(req: IncomingMessage, socket: Duplex, head: Buffer, log: Log): void {
    if (closed !== undefined) {
      refuseUpgrade(socket, 503, 'UNAVAILABLE', 'The service is stopping.');
    } else if (!origins.isHostAllowed(req)) {
      refuseUpgrade(socket, 403, 'FORBIDDEN_HOST', FORBIDDEN_HOST);
    } else if (pathOf(req) !== '/graphql') {
      refuseUpgrade(socket, 404, 'NOT_FOUND', 'WebSockets are served at /graphql only.');
    } else if (!origins.isOriginAllowed(req)) {
      const message = 'WebSockets are open to pages of this service’s own origin only.';
      refuseUpgrade(socket, 403, 'FORBIDDEN_ORIGIN', message);
    } else {
      graphqlSockets.accept(req, socket, head, { viewer, baseUrl: origins.baseUrl(req), log });
    }
  }

  function serve(req: IncomingMessage, res: ServerResponse): void {
    const startedMs = performance.now();
    const requestId = randomUUID();
    const log = options.log.child({ requestId });
    res.setHeader('x-request-id', requestId);
    res.once('close', () => {
      // A connection is idle, and can go, once its response is through.
      if (closed !== undefined) setImmediate(() => server.closeIdleConnections());
      const ms = Math.round(performance.now() - startedMs);
      log.debug({ method: req.method, path: pathOf(req), status: res.statusCode, ms }, 'request');
    });
    route(req, res, log).catch((error: unknown) => {
      log.error({ err: error }, 'request failed');
      if (res.headersSent) res.destroy();
      else answerError(res, 500, 'INTERNAL_SERVER_ERROR', 'Unexpected error.');
    });
  }

  const server = createServer({ shouldUpgradeCallback: isWebSocket }, serve);
  // A client that asks before it sends its body (RFC 9110, 10.1.1) hears of it when somebody reads:
  // what is refused by its head is never sent.
  server.on('checkContinue', (req, res) => {
    req.once('resume', () => {
      if (!res.headersSent) res.writeContinue();
    });
    serve(req, res);
  });
  server.on('upgrade', (req, socket, head) => {
    // Until it is taken over, and when it never is.
    socket.on('error', () => {});
    upgrade(req, socket, head, options.log.child({ requestId: randomUUID() }));
  });
  // An upload over a slow line may take longer than Node's default of five minutes.
  server.requestTimeout = 30 * 60 * 1_000;

  function refuse(): void {
    if (closed !== undefined || !server.listening) return;
    closed = once(server, 'close');
    server.close();
    server.closeIdleConnections();
  }

  return {
    async start() {
      server.listen(port, host);
      await once(server, 'listening');
      const { port: actualPort } = server.address() as AddressInfo;
      const name = host.includes(':') ? `[${host}]` : host;
      return { url: `http://${name}:${actualPort}` };
    },
    refuse,
    async stop({ graceMs }) {
      refuse();
      const timer = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearTimeout(timer);
      stalled.stop();
    },
  };
}

function pathOf(req: IncomingMessage): string {
  return (req.url ?? '/').split('?', 1)[0] ?? '/';
}

/** Other upgrades, such as the h2c that some clients offer, are answered as plain requests. */
function isWebSocket(req: IncomingMessage): boolean {
  return req.headers.upgrade?.toLowerCase() === 'websocket';
}

const FORBIDDEN_HOST = 'This service answers requests to localhost only.';

function unavailable(res: ServerResponse, message: string, retryAfterSeconds: number): void {
  res.setHeader('retry-after', String(retryAfterSeconds));
  answerError(res, 503, 'UNAVAILABLE', message);
}

function answerError(res: ServerResponse, status: number, code: string, message: string): void {
  res.writeHead(status, {
    'content-type': 'application/json',
    'x-content-type-options': 'nosniff',
  });
  res.end(errorBody(code, message));
}

function refuseUpgrade(socket: Duplex, status: number, code: string, message: string): void {
  const body = errorBody(code, message);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\n` +
      `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function errorBody(code: string, message: string): string {
  return JSON.stringify({ errors: [{ message, extensions: { code } }] });
}
