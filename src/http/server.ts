import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { StartError } from '../errors.ts';
import { type Log, lazyChild } from '../log.ts';
import { type Metrics, NO_METRICS } from '../telemetry/metrics.ts';
import { NO_TRACES, type Traces } from '../telemetry/traces.ts';
import { type BodyDeadlineOptions, createBodyDeadlines } from './body-deadlines.ts';
import { useDialect } from './dialect.ts';
import { lingerOnClose } from './lingering-close.ts';
import { isOpenaiPath, OPENAI } from './openai/openai-dialect.ts';
import type { Health } from './rest/health.ts';
import { rejectUpgrade, sendError, sendUnavailable } from './send-error.ts';
import { createShutdownGate } from './shutdown-gate.ts';
import { createTraceRequests } from './trace-requests.ts';

/** A restart takes a few seconds. */
const STOPPING_RETRY_SECONDS = 5;

/**
 * How long an idle connection stays open, in milliseconds. Proxies and load balancers reuse theirs
 * for up to 60 s; a request on a connection that we just closed is lost.
 */
const KEEP_ALIVE_MS = 75_000;

/**
 * Timeout of a request's head. Longer than the above, because Node counts from the end of the last
 * response.
 */
const HEADERS_TIMEOUT_MS = 90_000;

/** Timeout of a whole request: an image of 25 MiB at the minimum rate takes 1.8 hours. */
const REQUEST_TIMEOUT_MS = 2 * 60 * 60 * 1_000;

const STATUS_CLASSES = [undefined, '1xx', '2xx', '3xx', '4xx', '5xx'] as const;

export interface HttpServer {
  /** @throws StartError if it cannot listen on the address. */
  start(): Promise<{ url: string }>;
  /**
   * Accepts no more connections. On open ones, a first request is served for a second, and further
   * ones get 503. Running requests continue. Resolves after that second, or when all connections
   * have sent a request. Idempotent.
   */
  refuse(): Promise<void>;
  /** Waits at most `graceMs` for running requests, then cuts them. Idempotent. */
  stop(options: { graceMs: number }): Promise<void>;
}

/**
 * What a process serves besides its health. Not called after the server stopped accepting requests.
 */
export interface Routes {
  /** Sends a response; a rejection is logged and becomes a 500. */
  request(req: IncomingMessage, res: ServerResponse, path: string, log: Log): unknown;
  /** Which of the routes a path is, for metrics: a name of a short list. */
  nameOf(req: IncomingMessage, path: string): string;
  /** Accepts or rejects a WebSocket. */
  upgrade(
    req: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    path: string,
    connection: { readonly requestId: string; readonly log: Log },
  ): void;
}

/** Handles what all requests share, whatever this process serves: id, health, shutdown. */
export function createHttpServer(options: {
  host: string;
  port: number;
  /** Path under which a proxy serves this server, such as `/retouch`, whether it strips it or not. */
  prefix?: string;
  routes: Routes;
  health: Health;
  /** @default none */
  traces?: Traces;
  /** @default off */
  metrics?: Metrics;
  log: Log;
  /** For slow request bodies. */
  bodyDeadlines?: BodyDeadlineOptions;
}): HttpServer {
  const { host, port, prefix = '', routes, health, metrics = NO_METRICS } = options;
  const bodyDeadlines = createBodyDeadlines(options.bodyDeadlines);
  const traceRequest = createTraceRequests(options.traces ?? NO_TRACES);
  let closed: Promise<unknown> | undefined;

  async function route(req: IncomingMessage, res: ServerResponse, log: Log): Promise<void> {
    const path = pathOf(req);
    const admits = gate.admits(req.socket);
    if (path === '/health/live') return health.live(res);
    if (path === '/health/ready') return health.ready(res);
    if (closed !== undefined) res.setHeader('connection', 'close');
    if (admits) {
      return traceRequest(
        req,
        res,
        path,
        async () => void (await routes.request(req, res, path, log)),
      );
    }
    sendUnavailable(res, 'The service is shutting down.', STOPPING_RETRY_SECONDS);
  }

  function upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    const requestId = randomUUID();
    const log = options.log.child({ requestId });
    if (gate.admits(req.socket)) routes.upgrade(req, socket, head, pathOf(req), { requestId, log });
    else rejectUpgrade(socket, 503, 'UNAVAILABLE', 'The service is shutting down.');
  }

  function serve(req: IncomingMessage, res: ServerResponse): void {
    const startedMs = performance.now();
    req.url = withoutPrefix(req.url ?? '/', prefix);
    const requestId = randomUUID();
    const log = lazyChild(options.log, { requestId });
    res.setHeader('x-request-id', requestId);
    if (isOpenaiPath(pathOf(req))) useDialect(res, OPENAI);
    lingerOnClose(req);
    bodyDeadlines.watch(req, res);
    res.once('close', () => {
      // A connection is idle, and may be closed, when its response is complete.
      if (closed !== undefined) setImmediate(() => server.closeIdleConnections());
      if (metrics.isOn) count(req, res, performance.now() - startedMs);
      if (!options.log.isLevelEnabled('debug')) return;
      const ms = Math.round(performance.now() - startedMs);
      log.debug({ method: req.method, path: pathOf(req), status: res.statusCode, ms }, 'request');
    });
    route(req, res, log).catch((error: unknown) => {
      log.error({ err: error }, 'request failed');
      if (res.headersSent) res.destroy();
      else sendError(res, 500, 'INTERNAL_SERVER_ERROR', 'Unexpected error.');
    });
  }

  function count(req: IncomingMessage, res: ServerResponse, ms: number): void {
    const path = pathOf(req);
    const route = path.startsWith('/health/') ? 'health' : routes.nameOf(req, path);
    const status = STATUS_CLASSES[Math.floor(res.statusCode / 100)];
    metrics.increment('retouch_http_requests_total', {
      route,
      status: res.writableFinished && status !== undefined ? status : 'aborted',
    });
    metrics.observe('retouch_http_request_duration_seconds', { route }, ms / 1_000);
  }

  const server = createServer({ shouldUpgradeCallback: isWebSocket }, serve);
  // A client that sends `Expect: 100-continue` (RFC 9110, 10.1.1) gets `100 Continue` when the body
  // is read, so a body whose head is rejected is never sent.
  server.on('checkContinue', (req, res) => {
    req.once('resume', () => {
      if (!res.headersSent) res.writeContinue();
    });
    serve(req, res);
  });
  server.on('upgrade', (req, socket, head) => {
    req.url = withoutPrefix(req.url ?? '/', prefix);
    // Until it is accepted, and if it never is.
    socket.on('error', () => {});
    upgrade(req, socket, head);
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;

  const gate = createShutdownGate(server);
  async function refuse(): Promise<void> {
    if (closed === undefined && !server.listening) return;
    closed ??= once(server, 'close');
    await gate.shut();
  }

  return {
    async start() {
      await listen(server, { host, port });
      return { url: addressOf(server, host) };
    },
    refuse,
    async stop({ graceMs }) {
      await refuse();
      const timer = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearTimeout(timer);
      bodyDeadlines.stop();
    },
  };
}

/** The URL of a server that listens. */
export function addressOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/**
 * Checks early whether the address is free, and releases it again.
 * @param settings Which settings name it, for the error.
 * @throws StartError if it is not.
 */
export async function checkPort(address: Address, settings?: string): Promise<void> {
  const probe = createServer();
  await listen(probe, address, settings);
  probe.close();
  await once(probe, 'close');
}

interface Address {
  readonly host: string;
  readonly port: number;
}

/** @throws StartError */
export async function listen(
  server: Server,
  { host, port }: Address,
  settings = 'HOST and PORT',
): Promise<void> {
  server.listen(port, host);
  await once(server, 'listening').catch((cause: NodeJS.ErrnoException) => {
    const reason =
      cause.code === 'EADDRINUSE' ? `${host}:${port} is already in use` : cause.message;
    throw new StartError(
      `${reason}: set ${settings} to a free address, or stop the process that uses it.`,
      // The process that uses the port may end. The address and the privilege stay as they are.
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

/** Other upgrades, such as the h2c that some clients offer, get a plain response. */
function isWebSocket(req: IncomingMessage): boolean {
  return req.headers.upgrade?.toLowerCase() === 'websocket';
}
