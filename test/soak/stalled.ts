import { type ServerSocket, serverSockets } from '../support/server-sockets.ts';
import type { Watcher } from '../support/subscriber-crowd.ts';

const LOOK_MS = 200;

/** Clients that never read, seen from the server's ends of their connections. */
export interface Stalled {
  /** Connections that the server has not closed yet. */
  open(): number;
  /**
   * From when the kernel last took something for a client until the server closed it, of the one
   * that took longest, in milliseconds.
   */
  longestMs(): number;
  stop(): void;
}

export function watchStalled(port: number, watchers: readonly Watcher[]): Stalled {
  const nowMs = performance.now();
  const seen = new Map(
    watchers.map((watcher) => [
      watcher.port,
      { queuedBytes: 0, grewMs: nowMs, closedMs: null as number | null },
    ]),
  );

  function look(sockets: ReadonlyMap<number, ServerSocket>): void {
    for (const [clientPort, one] of seen) {
      if (one.closedMs !== null) continue;
      const socket = sockets.get(clientPort);
      if (!socket?.isOpen) one.closedMs = performance.now();
      else if (socket.queuedBytes > one.queuedBytes) {
        one.queuedBytes = socket.queuedBytes;
        one.grewMs = performance.now();
      }
    }
  }

  let failure: unknown;
  const timer = setInterval(() => {
    serverSockets(port).then(look, (error: unknown) => {
      failure = error;
    });
  }, LOOK_MS);
  return {
    open: () => [...seen.values()].filter(({ closedMs }) => closedMs === null).length,
    longestMs() {
      if (failure !== undefined) throw failure;
      return Math.max(
        ...[...seen.values()].map(
          ({ closedMs, grewMs }) => (closedMs ?? Number.POSITIVE_INFINITY) - grewMs,
        ),
      );
    },
    stop: () => clearInterval(timer),
  };
}
