import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { type BodyDeadlineOptions, createBodyDeadlines } from '../../src/http/body-deadlines.ts';
import { lingerOnClose } from '../../src/http/lingering-close.ts';
import { createHealth } from '../../src/http/rest/health.ts';
import { createHttpServer } from '../../src/http/server.ts';
import { createLog } from '../../src/log.ts';
import { serve } from '../support/http.ts';

type Listener = (req: IncomingMessage, res: ServerResponse) => unknown;

/** A server that reads bodies, as the service has it. */
async function server(options: BodyDeadlineOptions, listener: Listener) {
  const deadlines = createBodyDeadlines(options);
  onTestFinished(() => deadlines.stop());
  const { port } = await serve((req, res) => {
    lingerOnClose(req);
    deadlines.watch(req, res);
    listener(req, res);
  });
  return port;
}

/** Reads the whole body and answers its length. */
const count: Listener = async (req, res) => {
  const body = await buffer(req).catch(() => null);
  if (body !== null && !res.headersSent) res.end(`${body.length} bytes`);
};

/** A POST whose body is not complete, and what came back until the connection ended. */
async function post(port: number, contentLength: number, firstBytes: string) {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  const answered = text(socket);
  const head = `POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${contentLength}\r\n\r\n`;
  await send(socket, head + firstBytes);
  return { socket, answered };
}

function send(socket: Socket, bytes: string): Promise<unknown> {
  return new Promise((resolve) => socket.write(bytes, resolve));
}

const NEVER_MS = 3_600_000;

test('a body that stops is ended with 408 and a body that says why', async () => {
  const port = await server({ idleMs: 100, windowMs: NEVER_MS }, count);
  const { answered } = await post(port, 1_000, 'half of it');
  const answer = await answered;
  expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  expect(answer).toMatch(/\r\nconnection: close\r\n/i);
  const { errors } = JSON.parse(answer.split('\r\n\r\n')[1] ?? '');
  expect(errors).toEqual([
    {
      message:
        'No data arrived for 0.1 s, so the request was closed before its body was complete. Send it again.',
      extensions: { code: 'REQUEST_TIMEOUT' },
    },
  ]);
});

test('a body that drips is ended with 408 although it never stops', async () => {
  const port = await server({ idleMs: NEVER_MS, windowMs: 200 }, count);
  const { socket, answered } = await post(port, 1_000_000, '');
  const drip = setInterval(() => socket.write('x'), 10);
  onTestFinished(() => clearInterval(drip));
  expect(await answered).toMatch(/^HTTP\/1\.1 408 .*less than 4,000 bytes per second/s);
});

test('a body that nobody reads yet, or that is read slower than it arrives, is not ended', async () => {
  const reading = Promise.withResolvers<void>();
  const port = await server({ idleMs: 100, windowMs: 200 }, async (req, res) => {
    if (req.headers['content-length'] === '1000') return count(req, res);
    await reading.promise;
    return count(req, res);
  });
  const body = 'x'.repeat(500_000);
  const waiting = await post(port, body.length, body);
  waiting.socket.end();
  // As long as it takes to end one that stalls, twice.
  for (const _ of [1, 2]) {
    const stalled = await post(port, 1_000, '');
    expect(await stalled.answered).toMatch(/^HTTP\/1\.1 408 /);
  }
  reading.resolve();
  expect(await waiting.answered).toMatch(/^HTTP\/1\.1 200 .*500000 bytes/s);
});

test('a connection is closed when the rest of a body that was answered early does not come', async () => {
  const port = await server({ idleMs: 100 }, (_, res) => res.end('early'));
  const { answered } = await post(port, 1_000, '');
  expect(await answered).toMatch(/^HTTP\/1\.1 200 .*early/s);
});

test('the service’s own server has these deadlines, whatever it serves', async () => {
  const server = createHttpServer({
    host: '127.0.0.1',
    port: 0,
    routes: { request: count, nameOf: () => 'none', upgrade: (_, socket) => socket.destroy() },
    health: createHealth({ checks: {} }),
    log: createLog({ level: 'silent' }),
    bodyDeadlines: { idleMs: 100 },
  });
  const { url } = await server.start();
  onTestFinished(() => server.stop({ graceMs: 0 }));
  const { answered } = await post(Number(new URL(url).port), 1_000, 'half of it');
  expect(await answered).toMatch(/^HTTP\/1\.1 408 /);
});
