import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { filePart, formBody, MULTIPART_HEADERS } from './multipart.ts';
import { EDIT } from './operations.ts';

/** The bytes of an `editImage` request with one uploaded image, head and body. */
export function uploadRequest(url: string, image: Uint8Array): Buffer {
  const variables = { input: { images: [{ file: null }], prompt: 'uploaded', wait: 0 } };
  const body = formBody([
    { name: 'operations', content: JSON.stringify({ query: EDIT, variables }) },
    { name: 'map', content: JSON.stringify({ 0: ['variables.input.images.0.file'] }) },
    filePart('0', image),
  ]);
  const headers = Object.entries({
    host: new URL(url).host,
    'content-length': body.length,
    'apollo-require-preflight': 'true',
    ...MULTIPART_HEADERS,
  });
  const head = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return Buffer.concat([Buffer.from(`POST /graphql HTTP/1.1\r\n${head}\r\n`), body]);
}

/** A connection that has taken these bytes, and stays open. */
export async function sendBytes(url: string, bytes: Uint8Array): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  await once(socket, 'connect');
  await new Promise((resolve) => socket.write(bytes, resolve));
  return socket;
}

/** A request that is being sent, so slowly that it takes minutes, but not so slowly that it is cut. */
export interface SlowRequest {
  readonly socket: Socket;
  /** Sends the rest at once. */
  finish(): void;
  stop(): void;
}

const DRIP_BYTES = 8_192;
const DRIP_MS = 1_000;

/** Resolves when half of the bytes are sent. */
export async function sendSlowly(url: string, bytes: Uint8Array): Promise<SlowRequest> {
  let sent = Math.floor(bytes.length / 2);
  const socket = await sendBytes(url, bytes.subarray(0, sent));
  const send = (length: number) => {
    socket.write(bytes.subarray(sent, sent + length));
    sent += length;
  };
  const drip = setInterval(send, DRIP_MS, DRIP_BYTES);
  socket.once('close', () => clearInterval(drip));
  return {
    socket,
    finish() {
      clearInterval(drip);
      send(bytes.length);
    },
    stop() {
      clearInterval(drip);
      socket.destroy();
    },
  };
}
