import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { createHealth } from '../../src/http/rest/health.ts';
import { createHttpServer } from '../../src/http/server.ts';
import { createLog } from '../../src/log.ts';
import { eventually } from '../support/eventually.ts';

const log = createLog({ level: 'silent' });
const REQUEST = 'GET / HTTP/1.1\r\nhost: localhost\r\n\r\n';

async function startServer() {
  const health = createHealth({ checks: {} });
  const routes = {
    request: (_: unknown, res: ServerResponse) => res.end('served'),
    nameOf: () => 'root',
    upgrade: () => {},
  };
  const server = createHttpServer({ host: '127.0.0.1', port: 0, routes, health, log });
  const { url } = await server.start();
  onTestFinished(() => server.stop({ graceMs: 0 }));
  async function open(): Promise<Socket> {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    return socket;
  }
  return { server, open };
}

/** Sends a request and reads until the server closes the connection. */
function ask(socket: Socket): Promise<string> {
  socket.write(REQUEST);
  return text(socket);
}

test('a server that shuts down serves the first request of a connection that it has accepted', async () => {
  const { server, open } = await startServer();
  const [one, other] = [await open(), await open()];
  const refused = server.refuse();
  // No longer listening, as a load balancer notices.
  await eventually(() => expect(open()).rejects.toThrow('ECONNREFUSED'));
  for (const socket of [one, other]) {
    const response = await ask(socket);
    expect(response).toMatch(/^HTTP\/1\.1 200 .*connection: close.*served$/is);
  }
  await refused;
});

test('a server that shuts down waits a second at most for a connection’s first request', async () => {
  const { server, open } = await startServer();
  const silent = await open();
  await server.refuse();
  expect(await ask(silent)).toMatch(/^HTTP\/1\.1 503 .*connection: close.*shutting down/is);
});
