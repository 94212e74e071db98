import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { StartError } from '../errors.ts';
import type { Log } from '../log.ts';
import { type BodyDeadlineOptions, createBodyDeadlines } from './body-deadlines.ts';
import { lingerOnClose } from './lingering-close.ts';
import type { Health } from './rest/health.ts';
import { rejectUpgrade, sendError, sendUnavailable } from './send-error.ts';

/** A restart takes a few seconds. */
const STOPPING_RETRY_SECONDS = 5;

/**
 * How long an idle connection stays open, in milliseconds. Proxies and load balancers reuse theirs
 * for up to 60 s: a request that meets a connection which we just closed is lost.
 */
const KEEP_ALIVE_MS = 75_000;

/** For a request's head. Above the former, as Node counts it from the end of the last response. */
const HEADERS_TIMEOUT_MS = 90_000;

/** For a whole request: an image of 25 MiB at the slowest rate that is accepted takes 1.8 hours. */
const REQUEST_TIMEOUT_MS = 2 * 60 * 60 * 1_000;

export interface HttpServer {
  /** @throws StartError when the address cannot be listened on. */
  start(): Promise<{ url: string }>;
  /**
   * Takes no more connections; what comes over an open one is answered 503. Requests under way go
   * on. Idempotent.
   */
  refuse(): void;
  /** Waits at most `graceMs` for requests under way, then cuts them off; idempotent. */
  stop(options: { graceMs: number }): Promise<void>;
}

/** What a process serves beside its health. Not asked any more once the server refuses. */
export interface Routes {
  /** Answers; a rejection is logged and answered 500. */
  request(req: IncomingMessage, res: ServerResponse, path: string, log: Log): unknown;
  /** Takes a WebSocket over, or refuses it. */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer, path: string, log: Log): void;
}

/** What holds for every request, whatever this process serves: its id, its health, its end. */
export function createHttpServer(options: {
  host: string;
  port: number;
  /** Path under which a proxy serves this server, such as `/retouch`, whether it strips it or not. */
  prefix?: string;
  routes: Routes;
  health: Health;
  log: Log;
  /** For request bodies that do not arrive. */
  bodyDeadlines?: BodyDeadlineOptions;
}): HttpServer {
  const { host, port, prefix = '', routes, health } = options;
  const bodyDeadlines = createBodyDeadlines(options.bodyDeadlines);
  let closed: Promise<unknown> | undefined;

  async function route(req: IncomingMessage, res: ServerResponse, log: Log): Promise<void> {
    const path = pathOf(req);
    if (path === '/health/live') return health.live(res);
    if (path === '/health/ready') return health.ready(res);
    if (closed === undefined) return void (await routes.request(req, res, path, log));
    res.setHeader('connection', 'close');
    sendUnavailable(res, 'The service is stopping.', STOPPING_RETRY_SECONDS);
  }

  function upgrade(req: IncomingMessage, socket: Duplex, head: Buffer, log: Log): void {
    if (closed === undefined) routes.upgrade(req, socket, head, pathOf(req), log);
    else rejectUpgrade(socket, 503, 'UNAVAILABLE', 'The service is stopping.');
  }

  function serve(req: IncomingMessage, res: ServerResponse): void {
    const startedMs = performance.now();
    req.url = withoutPrefix(req.url ?? '/', prefix);
    const requestId = randomUUID();
    const log = options.log.child({ requestId });
    res.setHeader('x-request-id', requestId);
    lingerOnClose(req);
    bodyDeadlines.watch(req, res);
    res.once('close', () => {
      // A connection is idle, and can go, once its response is through.
      if (closed !== undefined) setImmediate(() => server.closeIdleConnections());
      const ms = Math.round(performance.now() - startedMs);
      log.debug({ method: req.method, path: pathOf(req), status: res.statusCode, ms }, 'request');
    });
    route(req, res, log).catch((error: unknown) => {
      log.error({ err: error }, 'request failed');
      if (res.headersSent) res.destroy();
      else sendError(res, 500, 'INTERNAL_SERVER_ERROR', 'Unexpected error.');
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
    req.url = withoutPrefix(req.url ?? '/', prefix);
    // Until it is taken over, and when it never is.
    socket.on('error', () => {});
    upgrade(req, socket, head, options.log.child({ requestId: randomUUID() }));
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;

  function refuse(): void {
    if (closed !== undefined || !server.listening) return;
    closed = once(server, 'close');
    server.close();
    server.closeIdleConnections();
  }

  return {
    async start() {
      await listen(server, { host, port });
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
      bodyDeadlines.stop();
    },
  };
}

/**
 * Finds out early whether the address can be listened on, and frees it again.
 * @throws StartError when it cannot.
 */
export async function checkPort({ host, port }: { host: string; port: number }): Promise<void> {
  const probe = createServer();
  await listen(probe, { host, port });
  probe.close();
  await once(probe, 'close');
}

/** @throws StartError */
async function listen(server: Server, { host, port }: { host: string; port: number }) {
  server.listen(port, host);
  await once(server, 'listening').catch((cause: NodeJS.ErrnoException) => {
    const reason =
      cause.code === 'EADDRINUSE' ? `${host}:${port} is already in use` : cause.message;
    throw new StartError(
      `${reason}. HOST and PORT say where to listen: choose another, or stop what has it.`,
      // Whatever has the port may end. The address and the privilege stay as they are.
      { isTemporary: cause.code === 'EADDRINUSE', cause },
    );
  });
}

function withoutPrefix(url: string, prefix: string): string {
  const rest = url.startsWith(prefix) ? url.slice(prefix.length) : null;
  if (rest === '' || rest?.startsWith('?')) return `/${rest}`;
  return rest?.startsWith('/') ? rest : url;
}

function pathOf(req: IncomingMessage): string {
  return (req.url ?? '/').split('?', 1)[0] ?? '/';
}

/** Other upgrades, such as the h2c that some clients offer, are answered as plain requests. */
function isWebSocket(req: IncomingMessage): boolean {
  return req.headers.upgrade?.toLowerCase() === 'websocket';
}
