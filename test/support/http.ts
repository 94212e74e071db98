import { once } from 'node:events';
import type { IncomingHttpHeaders, RequestListener } from 'node:http';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

export interface Served {
  readonly url: string;
  readonly port: number;
  /** Drops every connection and refuses new ones. */
  goDown(): Promise<void>;
  /** Listens again, on the same port. */
  comeBack(): Promise<void>;
}

/** Serves on 127.0.0.1 until the test ends. */
export async function serve(listener: RequestListener): Promise<Served> {
  const server = createServer(listener);
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  const goDown = async () => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  await listen(0);
  onTestFinished(goDown);
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port, goDown, comeBack: () => listen(port) };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** One request with exactly these headers and bytes; without a Content-Length it goes chunked. */
export async function send(
  url: string,
  {
    method = 'GET',
    headers = {},
    body,
  }: {
    method?: string;
    headers?: Record<string, string | number>;
    body?: Uint8Array;
  } = {},
): Promise<Answer> {
  const req = request(url, { method, headers });
  // The server may answer, and close, before it has read everything.
  const answered = once(req, 'response');
  req.on('error', () => undefined);
  if (body) req.write(body);
  req.end();
  const [res] = await answered;
  return {
    status: res.statusCode ?? 0,
    headers: res.headers,
    body: await buffer(res),
  };
}
