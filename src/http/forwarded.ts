import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { isLoopback } from '../config/config.ts';
import { type IsTrustedProxy, unmapped } from '../net/trusted-proxies.ts';

/** Facts about a request before proxies in front of this service forwarded it. */
export interface Forwarded {
  /**
   * Who shares a limit: an IPv4 address, or the /64 block of an IPv6 address. Null for a process on
   * this machine, unless a trusted proxy names its client.
   */
  client(req: IncomingMessage): string | null;
  /** A header of a trusted proxy that names its user; null if absent, or sent more than once. */
  user(req: IncomingMessage, header: string): string | null;
  /** `X-Forwarded-Host` of a trusted proxy; null if absent. */
  host(req: IncomingMessage): string | null;
  /** Protocol of the client's connection to the outermost proxy. */
  protocol(req: IncomingMessage): 'http' | 'https';
}

/** Headers of other peers are ignored, because any client can send them. */
export function createForwarded(options: {
  isTrusted: IsTrustedProxy;
  /** Whether any proxy is trusted. */
  hasProxies: boolean;
}): Forwarded {
  const { isTrusted, hasProxies } = options;

  function client(req: IncomingMessage): string | null {
    const peer = peerOf(req);
    if (!hasProxies) return isLoopback(peer) ? null : block(peer);
    if (!isTrusted(peer)) return block(peer);
    const hops = list(req.headers['x-forwarded-for']).map(withoutPort);
    // Each proxy appends its own peer, so the rightmost address that is not a trusted proxy cannot
    // be forged.
    return block(hops.findLast((hop) => !isTrusted(hop)) ?? hops[0] ?? peer);
  }

  /** The outermost proxy's. */
  function first(req: IncomingMessage, name: string, form: RegExp): string | null {
    // Most requests have none, and to look up the peer costs microseconds.
    const given = req.headers[name];
    if (given === undefined || !isTrusted(peerOf(req))) return null;
    const [value = ''] = list(given);
    return form.test(value) ? value.toLowerCase() : null;
  }

  return {
    client,
    user(req, header) {
      if (req.headers[header] === undefined || !isTrusted(peerOf(req))) return null;
      const [value, ...more] = req.headersDistinct[header] ?? [];
      // Two values may be the client's own and the proxy's.
      if (value === undefined || more.length > 0) return null;
      // Node reads headers as latin1.
      return Buffer.from(value, 'latin1').toString().trim() || null;
    },
    host: (req) => first(req, 'x-forwarded-host', HOST),
    protocol: (req) => (first(req, 'x-forwarded-proto', PROTOCOL) === 'https' ? 'https' : 'http'),
  };
}

const HOST = /^([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?$/i;
const PROTOCOL = /^https?$/i;

function peerOf({ socket }: IncomingMessage): string {
  return unmapped(socket.remoteAddress ?? '');
}

function list(header: string | string[] | undefined): string[] {
  return String(header ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function withoutPort(hop: string): string {
  const [, address = hop] = /^\[(.+)\](?::\d+)?$/.exec(hop) ?? /^([\d.]+):\d+$/.exec(hop) ?? [];
  return unmapped(address);
}

/**
 * One client has a whole /64 of IPv6. A value that is not an address, such as `unknown`, is a
 * client of its own.
 */
function block(address: string): string {
  if (isIP(address) !== 6) return address.slice(0, 64);
  const { parts } = ipaddr.IPv6.parse(address);
  const prefix = parts.slice(0, 4).map((part) => part.toString(16));
  return `${prefix.join(':')}::/64`;
}
