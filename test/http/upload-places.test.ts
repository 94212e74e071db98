import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { UnavailableError } from '../../src/errors.ts';
import { lingerOnClose } from '../../src/http/lingering-close.ts';
import { createTakePlace, createUploadPlaces } from '../../src/http/upload-places.ts';
import { send, serve } from '../support/http.ts';

const MIB = 1024 * 1024;

test('takes uploads up to the limit, to the byte, and no more', () => {
  const places = createUploadPlaces({ maxBytes: 100 * MIB });
  places.take(60 * MIB, null);
  expect(() => places.take(40 * MIB + 1, null)).toThrow(UnavailableError);
  places.take(40 * MIB, null);
  expect(() => places.take(1, null)).toThrow(UnavailableError);
});

test('counts each as at least 8 MiB, and one of unknown length as 64 MiB', () => {
  const places = createUploadPlaces({ maxBytes: 80 * MIB });
  places.take(null, null);
  places.take(1, null);
  places.take(0, null);
  expect(() => places.take(0, null)).toThrow(UnavailableError);
});

test('takes one that is larger than the limit when it is the only one', () => {
  const places = createUploadPlaces({ maxBytes: 1 });
  const giveBack = places.take(400 * MIB, null);
  expect(() => places.take(1, null)).toThrow(UnavailableError);
  giveBack();
  places.take(400 * MIB, null);
});

test('takes a place back once only', () => {
  const places = createUploadPlaces({ maxBytes: 16 * MIB });
  const giveBack = places.take(1, null);
  places.take(1, null);
  giveBack();
  giveBack();
  places.take(1, null);
  expect(() => places.take(1, null)).toThrow(UnavailableError);
});

test('leaves half of all to other clients, whoever sends the most', () => {
  const places = createUploadPlaces({ maxBytes: 64 * MIB });
  const giveBack = places.take(20 * MIB, '192.0.2.1');
  places.take(12 * MIB, '192.0.2.1');
  expect(() => places.take(1, '192.0.2.1')).toThrow(/of your uploads/);
  places.take(1, '192.0.2.2');
  places.take(1, null);
  giveBack();
  places.take(1, '192.0.2.1');
});

test('takes one that is larger than a client’s share when it is the client’s only one', () => {
  const places = createUploadPlaces({ maxBytes: 64 * MIB });
  places.take(50 * MIB, '192.0.2.1');
  expect(() => places.take(1, '192.0.2.1')).toThrow(UnavailableError);
});

describe('the place of a request', () => {
  /** A server with room for one request, which answers as its path says. */
  async function server() {
    const places = createUploadPlaces({ maxBytes: 8 * MIB });
    const takePlace = createTakePlace(places, () => null);
    const { url, port } = await serve(async (req, res) => {
      lingerOnClose(req);
      try {
        takePlace(req, res);
      } catch {
        return void res.writeHead(503).end();
      }
      if (req.url === '/early') return void res.writeHead(400).end();
      req.resume().once('end', () => res.end());
    });
    return {
      port,
      upload: async () => (await send(url, { method: 'POST', body: IMAGE })).status,
    };
  }

  const IMAGE = Buffer.alloc(1_000);
  const HEAD = 'HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100000\r\n';

  /** Sends a part of a body, reads an answer if there is one, and is gone. */
  async function vanish(port: number, path: string, header = '') {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    await once(socket, 'connect');
    socket.write(`POST ${path} ${HEAD}${header}\r\npart of a body`);
    if (path === '/early') await once(socket, 'data');
    const closed = once(socket, 'close');
    socket.destroy();
    await closed;
  }

  test.each(['', 'connection: close\r\n'])(
    'is given back after 1,000 early responses to clients that vanish (header %j)',
    async (header) => {
      const { port, upload } = await server();
      for (let i = 0; i < 500; i += 1) await vanish(port, '/early', header);
      await expect.poll(upload).toBe(200);
    },
  );

  test('is given back when a client vanishes before it gets a response', async () => {
    const { port, upload } = await server();
    await vanish(port, '/');
    await expect.poll(upload).toBe(200);
  });

  test('is given back when its body was read, on a connection that is used again', async () => {
    const { upload } = await server();
    for (let i = 0; i < 20; i += 1) expect(await upload()).toBe(200);
  });
});
