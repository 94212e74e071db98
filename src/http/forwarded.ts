import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { isLoopback } from '../config/config.ts';
import { type IsTrustedProxy, unmapped } from '../net/trusted-proxies.ts';

/** What a request was before the proxies in front of this service passed it on. */
export interface Forwarded {
  /**
   * Who shares a limit: an IPv4 address, or the /64 block of an IPv6 address. Null: a process on
   * this machine, where no proxy is trusted to name others.
   */
  client(req: IncomingMessage): string | null;
  /** `X-Forwarded-Host` of a trusted proxy; null: none. */
  host(req: IncomingMessage): string | null;
  /** How the client connected to the outermost proxy. */
  protocol(req: IncomingMessage): 'http' | 'https';
}

/** Headers of a peer that is not a trusted proxy mean nothing: any client can send them. */
export function createForwarded(options: {
  isTrusted: IsTrustedProxy;
  /** Whether any proxy is. */
  hasProxies: boolean;
}): Forwarded {
  const { isTrusted, hasProxies } = options;

  function client(req: IncomingMessage): string | null {
    const peer = peerOf(req);
    if (!hasProxies) return isLoopback(peer) ? null : block(peer);
    if (!isTrusted(peer)) return block(peer);
    const hops = list(req.headers['x-forwarded-for']).map(withoutPort);
    // Each proxy appends its own peer, so the rightmost that is no proxy of ours is beyond forgery.
    return block(hops.findLast((hop) => !isTrusted(hop)) ?? hops[0] ?? peer);
  }

  /** The outermost proxy's. */
  function first(req: IncomingMessage, name: string, form: RegExp): string | null {
    if (!isTrusted(peerOf(req))) return null;
    const [value = ''] = list(req.headers[name]);
    return form.test(value) ? value.toLowerCase() : null;
  }

  return {
    client,
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

/** One client has a whole /64 of IPv6. What is no address, such as `unknown`, is its own client. */
function block(address: string): string {
  if (isIP(address) !== 6) return address.slice(0, 64);
  const { parts } = ipaddr.IPv6.parse(address);
  const prefix = parts.slice(0, 4).map((part) => part.toString(16));
  return `${prefix.join(':')}::/64`;
}
