import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { lingerOnClose } from '../../src/http/lingering-close.ts';
import { serve } from '../support/http.ts';

const BODY = Buffer.alloc(20_000_000);
const HEAD = `POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: ${BODY.length}\r\n\r\n`;

/** A server that answers unread, and a client that has sent its head and reads nothing yet. */
async function send(options: Parameters<typeof lingerOnClose>[1] = {}) {
  const asked = Promise.withResolvers<IncomingMessage>();
  const { url } = await serve((req, res) => {
    lingerOnClose(req, options);
    res.writeHead(503, { 'content-length': 4 }).end('busy');
    asked.resolve(req);
  });
  const client = connect({ port: Number(new URL(url).port), host: '127.0.0.1' }).pause();
  onTestFinished(() => void client.destroy());
  client.write(HEAD);
  const { socket } = await asked.promise;
  return { client, closed: once(socket, 'close') };
}

test('a client that sends all of its body before it reads gets the answer', async () => {
  const { client, closed } = await send();
  await new Promise<void>((resolve, reject) => {
    client.write(BODY, (error) => (error ? reject(error) : resolve()));
  });
  const answer = await text(client);
  expect(answer).toMatch(/^HTTP\/1\.1 503 /);
  expect(answer).toMatch(/\r\n\r\nbusy$/);
  await closed;
});

test('a client that sends no more and does not close is cut off', async () => {
  const { client, closed } = await send({ idleMs: 50 });
  client.on('error', () => undefined).write(BODY.subarray(1));
  await closed;
});

test('a client that sends without end is cut off', async () => {
  const { client, closed } = await send({ maxMs: 200 });
  const drip = setInterval(() => client.write('x'), 10);
  onTestFinished(() => clearInterval(drip));
  client.on('error', () => undefined);
  await closed;
});
