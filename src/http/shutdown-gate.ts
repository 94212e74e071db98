import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';

/** How long an accepted connection may take to send its first request, in milliseconds. */
const FIRST_REQUEST_MS = 1_000;

/** A turn of the event loop without work takes less, in milliseconds. */
const IDLE_TURN_MS = 0.5;

/** A process that is never idle for so many turns stops listening nevertheless. */
const MAX_TURNS = 200;

/**
 * Ends a server so that a load balancer loses no request: who is not accepted gets a refusal, with
 * which it tries the next server, and who was accepted gets a response.
 */
export interface ShutdownGate {
  /** Whether a request may be served: any, and during the shutdown a connection's first. */
  admits(socket: Socket): boolean;
  /**
   * Stops listening. Resolves when all accepted connections have sent a request, after a second at
   * most. Idempotent.
   */
  shut(): Promise<void>;
}

export function createShutdownGate(server: Server): ShutdownGate {
  /** Connections without a request. */
  const fresh = new Set<Socket>();
  let shutting: Promise<void> | undefined;
  let onFewer = () => {};

  function remove(socket: Socket): boolean {
    const wasFresh = fresh.delete(socket);
    onFewer();
    return wasFresh;
  }

  server.on('connection', (socket) => {
    fresh.add(socket);
    socket.once('close', () => remove(socket));
  });

  async function shut(): Promise<void> {
    await untilIdle();
    server.close();
    server.closeIdleConnections();
    const { promise: none, resolve } = Promise.withResolvers<void>();
    onFewer = () => {
      if (fresh.size === 0) resolve();
    };
    onFewer();
    const late = new AbortController();
    const timeout = delay(FIRST_REQUEST_MS, undefined, { signal: late.signal }).catch(() => {});
    await Promise.race([none, timeout]);
    late.abort();
    fresh.clear();
  }

  return {
    admits: (socket) => remove(socket) || shutting === undefined,
    shut: () => (shutting ??= shut()),
  };
}

/**
 * The kernel resets the connections that it has made and this process has not accepted yet. After a
 * turn of the event loop without work there are hardly any.
 */
async function untilIdle(): Promise<void> {
  for (let turn = 0; turn < MAX_TURNS; turn += 1) {
    const startedMs = performance.now();
    await nextTurn();
    if (turn > 0 && performance.now() - startedMs < IDLE_TURN_MS) return;
  }
}
