import { readFile } from 'node:fs/promises';

export interface ServerSocket {
  /** False once either side has closed it. */
  readonly isOpen: boolean;
  /** Bytes that the kernel holds for a peer that has not taken them. */
  readonly queuedBytes: number;
}

/** TCP_ESTABLISHED of the kernel's tcp_states.h. */
const ESTABLISHED = '01';

/**
 * The server's ends of the connections to 127.0.0.1:`port`, by the client's port, as the kernel has
 * them (proc_net_tcp(5)): what a peer that never reads cannot see itself. Linux only.
 */
export async function serverSockets(port: number): Promise<Map<number, ServerSocket>> {
  const [, ...lines] = (await readFile('/proc/net/tcp', 'utf8')).trim().split('\n');
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const found = new Map<number, ServerSocket>();
  for (const line of lines) {
    const [, address, peer = '', state, queues = ''] = line.trim().split(/\s+/);
    if (address !== local) continue;
    const clientPort = Number.parseInt(peer.split(':')[1] ?? '', 16);
    const queuedBytes = Number.parseInt(queues.split(':')[0] ?? '', 16);
    found.set(clientPort, { isOpen: state === ESTABLISHED, queuedBytes });
  }
  return found;
}
