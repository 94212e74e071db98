import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { onTestFinished } from 'vitest';

/** An HTTP proxy as companies have them, on 127.0.0.1, which notes where it is asked to go. */
export interface ForwardProxy {
  readonly url: string;
  /** `POST http://host/path` for a request, `CONNECT host:port` for a tunnel. */
  readonly asked: readonly string[];
  readonly credentials: readonly (string | undefined)[];
}

export async function startForwardProxy(
  options: {
    /** What it answers instead of passing anything on. */
    status?: number;
    /** Where a name leads that only the proxy knows. */
    resolve?: Readonly<Record<string, number>>;
  } = {},
): Promise<ForwardProxy> {
  const { status, resolve = {} } = options;
  const asked: string[] = [];
  const credentials: (string | undefined)[] = [];
  const server = createServer((req, res) => {
    asked.push(`${req.method} ${req.url}`);
    credentials.push(req.headers['proxy-authorization']);
    if (status !== undefined) {
      req.resume();
      return void res.writeHead(status).end('The proxy says no.');
    }
    const url = new URL(req.url ?? '');
    const port = resolve[url.hostname];
    const target = port === undefined ? url : new URL(url.pathname, `http://127.0.0.1:${port}`);
    const onward = request(target, { method: req.method, headers: req.headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
    });
    onward.on('error', () => res.destroy());
    res.once('close', () => onward.destroy());
    req.pipe(onward);
  });
  server.on('connect', (req, socket, head) => {
    asked.push(`CONNECT ${req.url}`);
    credentials.push(req.headers['proxy-authorization']);
    socket.on('error', () => {});
    if (status !== undefined) return void socket.end(`HTTP/1.1 ${status} No\r\n\r\n`);
    const { hostname, port } = new URL(`http://${req.url}`);
    const onward = connect(resolve[hostname] ?? (Number(port) || 80), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    onward.on('error', () => socket.destroy());
    socket.once('close', () => onward.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, asked, credentials };
}
