import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';

/** One response, as it went to the client. */
export interface Passed {
  readonly path: string;
  readonly status: number;
  readonly type: string;
  /** Of the body, as it was encoded. */
  bytes: number;
}

/** Stands before a service and notes what goes through. */
export interface CountingProxy {
  readonly url: string;
  /** The responses since the last call. */
  take(): Passed[];
  /** Requests whose responses are not through yet. */
  pending(): number;
  /** Breaks all connections off. */
  cut(): void;
  stop(): Promise<void>;
}

export async function startCountingProxy(target: string): Promise<CountingProxy> {
  let passed: Passed[] = [];
  let pending = 0;
  const server: Server = createServer(async (req, res) => {
    const onward = request(new URL(req.url ?? '/', target), {
      method: req.method,
      headers: req.headers,
    });
    pending += 1;
    res.once('close', () => {
      pending -= 1;
      // Whoever goes away takes the other side along.
      onward.destroy();
    });
    onward.on('error', () => res.destroy());
    onward.on('response', (answer) => {
      const status = answer.statusCode ?? 0;
      const type = answer.headers['content-type'] ?? '';
      const one: Passed = { path: req.url ?? '', status, type, bytes: 0 };
      passed.push(one);
      res.writeHead(status, answer.headers);
      answer.on('data', (chunk: Buffer) => {
        one.bytes += chunk.length;
      });
      pipeline(answer, res).catch(() => res.destroy());
    });
    await pipeline(req, onward).catch(() => res.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    take() {
      const taken = passed;
      passed = [];
      return taken;
    },
    pending: () => pending,
    cut: () => server.closeAllConnections(),
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
