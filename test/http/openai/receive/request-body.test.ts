import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import {
  createRequestBody,
  type RequestBody,
} from '../../../../src/http/openai/receive/request-body.ts';
import { serve } from '../../../support/http.ts';

/** The body of a request of which `sent` bytes have arrived, of `declared`. */
async function arriving({ sent = 0, declared = 100, maxBytes = 1_000 } = {}) {
  const stop = new AbortController();
  const arrived = Promise.withResolvers<{ req: IncomingMessage; body: RequestBody }>();
  const { port } = await serve((req, res) => {
    const body = createRequestBody(req, { maxBytes, signal: stop.signal });
    req.once('end', () => res.end('read'));
    arrived.resolve({ req, body });
  });
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  socket.write(`POST / HTTP/1.1\r\nhost: x\r\ncontent-length: ${declared}\r\n\r\n`);
  socket.write(Buffer.alloc(sent, 'x'));
  return { socket, stop, ...(await arrived.promise) };
}

async function bytesOf(body: RequestBody): Promise<number> {
  let bytes = 0;
  for (let chunk = await body.next(); chunk !== null; chunk = await body.next()) {
    bytes += chunk.length;
  }
  return bytes;
}

test('a body is read to its end', async () => {
  const { body } = await arriving({ sent: 100 });
  expect(await bytesOf(body)).toBe(100);
  expect(await body.next()).toBeNull();
});

test('a body that ends early is refused, whoever closes it', async () => {
  const { body, socket } = await arriving({ sent: 50 });
  const reading = bytesOf(body);
  socket.destroy();
  await expect(reading).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  await expect(body.next()).rejects.toMatchObject({ code: 'BAD_REQUEST' });
});

test('a body over its limit is refused', async () => {
  const { body } = await arriving({ sent: 1_001, declared: 1_001 });
  await expect(bytesOf(body)).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
});

test('an abort ends the reading with its reason', async () => {
  const { body, stop } = await arriving({ sent: 50 });
  const reading = bytesOf(body);
  const reason = new Error('stopped');
  stop.abort(reason);
  await expect(reading).rejects.toBe(reason);
});

test('what is dropped is still read, so that the client sees its response', async () => {
  const { body, socket } = await arriving({ sent: 50_000, declared: 100_000, maxBytes: 100_000 });
  await body.next();
  body.drop();
  body.drop();
  socket.write(Buffer.alloc(50_000));
  const [response] = await new Promise<Buffer[]>((resolve) =>
    socket.once('data', (chunk: Buffer) => resolve([chunk])),
  );
  expect(response?.toString()).toContain('200 OK');
});
