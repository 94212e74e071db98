import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** Stands before a database that fails over, as a virtual address or HAProxy does. */
export interface SwitchingProxy {
  readonly port: number;
  /** New connections go there; those that are open break, unless `keep`. */
  switchTo(port: number, options?: { keep: boolean }): void;
}

/** Ends with the test. */
export async function startSwitchingProxy(firstPort: number): Promise<SwitchingProxy> {
  const sockets = new Set<Socket>();
  let port = firstPort;
  const server = createServer((client) => {
    const target = connect(port, '127.0.0.1');
    for (const [socket, other] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, 'close');
  });
  return {
    port: (server.address() as AddressInfo).port,
    switchTo(next, { keep } = { keep: false }) {
      port = next;
      if (!keep) for (const socket of sockets) socket.destroy();
    },
  };
}
