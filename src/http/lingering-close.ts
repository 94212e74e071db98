import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';

/**
 * Lets a client read an answer that it got before it had sent its whole body.
 *
 * Where a connection is not kept (`Connection: close`, as from most proxies), Node closes it behind
 * the answer. With bytes of the body unread that resets it, and the client may lose what it has not
 * read yet (RFC 9112, 9.6). So our side is closed only, and what comes is dropped until the body or
 * the connection ends, nothing came for `idleMs`, or `maxMs` are over.
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
  // What Node calls to close it behind the last answer.
  socket.destroySoon = () => {
    if (req.complete || req.destroyed) return close();
    const timer = setTimeout(() => socket.destroy(), maxMs);
    socket.once('close', () => clearTimeout(timer));
    socket.setTimeout(idleMs, () => socket.destroy());
    req.once('end', close).resume();
    socket.end();
  };
}
