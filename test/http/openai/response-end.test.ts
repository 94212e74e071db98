import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { onResponseEnd } from '../../../src/http/openai/response-end.ts';

/** A server whose next response is ended by a test, and its client. */
async function openResponse() {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client: Socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.on('error', () => {});
  onTestFinished(async () => {
    client.destroy();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  client.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  const [, res] = (await once(server, 'request')) as [unknown, ServerResponse];
  return { client, res };
}

/** The states as they are reported. */
function watch(res: ServerResponse) {
  const states: string[] = [];
  const { promise: reported, resolve } = Promise.withResolvers<void>();
  onResponseEnd(res, (state) => {
    states.push(state);
    resolve();
  });
  return { states, reported };
}

describe('the end of a response', () => {
  test('is WRITTEN when all of it was written', async () => {
    const { client, res } = await openResponse();
    const { states, reported } = watch(res);
    res.end('done');
    await once(client, 'data');
    await reported;
    expect(states).toEqual(['WRITTEN']);
  });

  test('is LOST when the connection closes before', async () => {
    const { client, res } = await openResponse();
    const { states, reported } = watch(res);
    client.destroy();
    await reported;
    expect(states).toEqual(['LOST']);
  });

  test('is LOST at once if the connection had closed already', async () => {
    const { client, res } = await openResponse();
    const closed = once(res, 'close');
    client.destroy();
    await closed;
    expect(watch(res).states).toEqual(['LOST']);
  });

  test('is LOST after all if the client resets the connection without reading it', async () => {
    const { client, res } = await openResponse();
    client.pause();
    const { states, reported } = watch(res);
    const { socket } = res;
    res.end('x'.repeat(10_000));
    await reported;
    expect(states).toEqual(['WRITTEN']);
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    socket?.once('close', () => resolve());
    client.resetAndDestroy();
    await closed;
    expect(states).toEqual(['WRITTEN', 'LOST']);
  });
});
