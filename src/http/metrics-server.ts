import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { isLoopback } from '../config/config.ts';
import { isHostAmong } from './origin.ts';
import { addressOf, listen } from './server.ts';

/** Prometheus gives up after 10 s by default. */
const REQUEST_TIMEOUT_MS = 10_000;

export interface MetricsServer {
  readonly url: string;
  /** Cuts running scrapes. */
  close(): Promise<void>;
}

/**
 * Serves `GET /metrics` on a port of its own, without authentication. On a loopback address, only to
 * requests with a loopback name as their Host, because of DNS rebinding: see RequestOrigins. On any
 * other, an operator has opened it to a network, under names that are not known here.
 * @throws StartError if it cannot listen on the address.
 */
export async function openMetricsServer(options: {
  host: string;
  port: number;
  contentType: string;
  render: () => Promise<string>;
  onError: (error: unknown) => void;
}): Promise<MetricsServer> {
  const { host, port, contentType, render, onError } = options;
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (req, res) => {
    if (isLoopback(host) && !isHostAmong([], req.headers.host)) {
      return send(res, 403, 'The Host header must be a loopback name.');
    }
    const [path] = (req.url ?? '').split('?', 1);
    if (path !== '/metrics') return send(res, 404, 'Only /metrics is here.');
    if (req.method !== 'GET' && req.method !== 'HEAD') return send(res, 405, 'Use GET.');
    render().then(
      (text) => send(res, 200, text, contentType),
      (error: unknown) => {
        onError(error);
        send(res, 500, 'Unexpected error.');
      },
    );
  });
  await listen(server, { host, port }, METRICS_SETTINGS);
  return {
    url: addressOf(server, host),
    async close() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** The settings of its address, for errors. */
export const METRICS_SETTINGS = 'METRICS_HOST and METRICS_PORT';

function send(
  res: ServerResponse,
  status: number,
  body: string,
  contentType = 'text/plain; charset=utf-8',
): void {
  res.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  res.end(body);
}
