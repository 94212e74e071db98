import { once } from 'node:events';
import { connect } from 'node:net';

/**
 * Requests one path as often as it can, over connections that stay open, and prints how often that
 * was. It parses only what it needs, so that it is not what is measured. Its argument is a `Load`.
 */
export interface Load {
  readonly port: number;
  readonly path: string;
  readonly connections: number;
  readonly durationMs: number;
}

/** More than what a socket holds, so that a large body takes few reads. */
const READ_BYTES = 512 * 1024;

const { port, path, connections, durationMs }: Load = JSON.parse(process.argv[2] ?? '{}');
const REQUEST = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
const startedMs = performance.now();
let requests = 0;

async function run(): Promise<void> {
  /** Bytes of the body that are still to come; null: the head is. */
  let missing: number | null = null;
  const socket = connect({
    port,
    host: '127.0.0.1',
    onread: {
      buffer: Buffer.allocUnsafe(READ_BYTES),
      callback(length, buffer) {
        const chunk = (buffer as Buffer).subarray(0, length);
        missing = (missing ?? bodyLength(chunk)) - (missing === null ? bodyBytes(chunk) : length);
        if (missing > 0) return true;
        requests += 1;
        missing = null;
        if (performance.now() - startedMs < durationMs) socket.write(REQUEST);
        else socket.end();
        return true;
      },
    },
  });
  socket.setNoDelay();
  socket.write(REQUEST);
  await once(socket, 'close');
}

/** All servers here send a head in one piece. */
function bodyBytes(chunk: Buffer): number {
  return chunk.length - chunk.indexOf('\r\n\r\n') - 4;
}

function bodyLength(chunk: Buffer): number {
  const head = chunk.toString('latin1', 0, chunk.indexOf('\r\n\r\n'));
  const [, status] = /^HTTP\/1\.1 (\d+)/.exec(head) ?? [];
  const [, length] = /\r\ncontent-length: (\d+)/i.exec(head) ?? [];
  if (status !== '200' || length === undefined) throw new Error(head);
  return Number(length);
}

await Promise.all(Array.from({ length: connections }, run));
process.stdout.write(JSON.stringify({ requests, ms: performance.now() - startedMs }));
