import { once } from 'node:events';
import { connect } from 'node:net';

/** Opens a TCP connection and closes it. @throws the error of the resolver or of the socket. */
export async function canConnect(url: string, signal: AbortSignal): Promise<void> {
  const { hostname, port, protocol } = new URL(url);
  const socket = connect({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port) || (protocol === 'https:' ? 443 : 80),
  });
  try {
    await once(socket, 'connect', { signal });
  } finally {
    socket.destroy();
  }
}
