import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import WebSocket from 'ws';

type Result = ReturnType<typeof JSON.parse>;

/** A subscriber of its own connection. */
export interface Watcher {
  /** Of the client's end. */
  readonly port: number;
  /** Cuts the connection. */
  close(): void;
}

/** Reads by SSE (distinct connections mode); told each result. Resolves when it is subscribed. */
export async function watchBySse(
  url: string,
  query: string,
  onResult: (result: Result) => void,
): Promise<Watcher> {
  const req = request(`${url}/graphql`, {
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
  });
  req.on('error', () => undefined);
  const answered = once(req, 'response');
  req.end(JSON.stringify({ query }));
  const [res] = (await answered) as [IncomingMessage];
  if (res.statusCode !== 200) throw new Error(`not subscribed: ${res.statusCode}`);
  res.on('error', () => undefined);
  let text = '';
  res.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (text + chunk).split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith('data: {')) onResult(JSON.parse(line.slice('data: '.length)));
    }
  });
  return { port: res.socket.localPort ?? 0, close: () => void req.destroy() };
}

/** The same by graphql-ws. */
export async function watchByWebSocket(
  url: string,
  query: string,
  onResult: (result: Result) => void,
): Promise<Watcher & { readonly socket: WebSocket }> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  socket.on('error', () => undefined);
  const [[response]] = (await Promise.all([once(socket, 'upgrade'), once(socket, 'open')])) as [
    [IncomingMessage],
    unknown,
  ];
  const acknowledged = Promise.withResolvers<void>();
  socket.on('message', (data) => {
    const message = JSON.parse(String(data));
    if (message.type === 'connection_ack') acknowledged.resolve();
    if (message.type === 'next') onResult(message.payload);
  });
  socket.send('{"type":"connection_init"}');
  await acknowledged.promise;
  socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }));
  return { port: response.socket.localPort ?? 0, socket, close: () => socket.terminate() };
}

/** Subscribes by SSE and never reads. */
export async function stallBySse(url: string, query: string): Promise<Watcher> {
  const { hostname, port, host } = new URL(url);
  const socket: Socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.pause();
  const body = JSON.stringify({ query });
  const head = [
    'POST /graphql HTTP/1.1',
    `host: ${host}`,
    'content-type: application/json',
    'accept: text/event-stream',
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  return { port: socket.localPort ?? 0, close: () => void socket.destroy() };
}

/** Subscribes by graphql-ws and reads no more, pings included. */
export async function stallByWebSocket(url: string, query: string): Promise<Watcher> {
  const watcher = await watchByWebSocket(url, query, () => undefined);
  watcher.socket.pause();
  return watcher;
}
