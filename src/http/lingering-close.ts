import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';

/**
 * Lets a client read a response that was sent before its whole body arrived.
 *
 * If a connection is not kept alive (`Connection: close`, as from most proxies), Node closes it
 * after the response. With unread body bytes that resets it, and the client may lose unread data
 * (RFC 9112, 9.6). So only our side is closed, and incoming data is dropped until the body or the
 * connection ends, nothing arrives for `idleMs`, or `maxMs` have passed.
 */
export function lingerOnClose(
  req: IncomingMessage,
  options: {
    /** @default 5_000 // 5 seconds */
    idleMs?: number;
    /** @default 30_000 // 30 seconds */
    maxMs?: number;
  } = {},
): void {
  const { idleMs = 5_000, maxMs = 30_000 } = options;
  const { socket } = req;
  const close = () => Reflect.apply(Socket.prototype.destroySoon, socket, []);
  // Node calls this to close the connection after the last response.
  socket.destroySoon = () => {
    if (req.complete || req.destroyed) return close();
    const timer = setTimeout(() => socket.destroy(), maxMs);
    socket.once('close', () => clearTimeout(timer));
    socket.setTimeout(idleMs, () => socket.destroy());
    req.once('end', close).resume();
    socket.end();
  };
}
