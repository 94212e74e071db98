import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Viewer } from '../auth/viewer.ts';
import { isLoopback } from '../config.ts';
import type { Availability } from '../database/availability.ts';
import type { Log } from '../log.ts';
import type { RequestContext } from './graphql.ts';
import type { Health } from './health.ts';
import type { ImageRoute } from './image-route.ts';

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
  /** Origin of links; null: each request's own. */
  publicUrl: string | null;
  /** False: requests that name another host than a loopback one are refused. */
  anyHost: boolean;
  viewer: Viewer;
  graphql: (req: IncomingMessage, res: ServerResponse, context: RequestContext) => unknown;
  imageRoute: ImageRoute<Viewer>;
  health: Health;
  availability: Availability;
  log: Log;
}): HttpServer {
  const { host, port, publicUrl, anyHost, viewer, graphql, imageRoute, health } = options;
  let closed: Promise<unknown> | undefined;

  async function route(req: IncomingMessage, res: ServerResponse, log: Log): Promise<void> {
    const path = pathOf(req);
    if (path === '/health/live') return health.live(res);
    if (path === '/health/ready') return health.ready(res);
    if (closed !== undefined) {
      res.setHeader('connection', 'close');
      return unavailable(res, 'The service is stopping.', STOPPING_RETRY_SECONDS);
    }
    // Without authentication the loopback address is the only guard, and a page anywhere on the
    // web can point its own name at it (DNS rebinding): such a request carries that name.
    if (!anyHost && !isLoopback(hostOf(req))) {
      return answerError(
        res,
        403,
        'FORBIDDEN_HOST',
        'This service answers requests to localhost only.',
      );
    }
    const isServed = path === '/graphql' || path.startsWith('/images/');
    // Before a body is read: nothing could be done with it.
    if (isServed && !(await options.availability.check())) {
      return unavailable(res, 'The database does not answer.', DATABASE_RETRY_SECONDS);
    }
    if (path === '/graphql') {
      const baseUrl = publicUrl ?? `http://${req.headers.host ?? 'localhost'}`;
      await graphql(req, res, { req, res, viewer, baseUrl, log });
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

  const server = createServer((req, res) => {
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
    },
  };
}

function pathOf(req: IncomingMessage): string {
  return (req.url ?? '/').split('?', 1)[0] ?? '/';
}

/** The Host header's name, without its port and an IPv6 address's brackets. */
function hostOf(req: IncomingMessage): string {
  const host = req.headers.host ?? '';
  return host
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();
}

function unavailable(res: ServerResponse, message: string, retryAfterSeconds: number): void {
  res.setHeader('retry-after', String(retryAfterSeconds));
  answerError(res, 503, 'UNAVAILABLE', message);
}

function answerError(res: ServerResponse, status: number, code: string, message: string): void {
  res.writeHead(status, {
    'content-type': 'application/json',
    'x-content-type-options': 'nosniff',
  });
  res.end(JSON.stringify({ errors: [{ message, extensions: { code } }] }));
}
