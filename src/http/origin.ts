import type { IncomingMessage } from 'node:http';
import { isLoopback } from '../config/config.ts';
import type { Forwarded } from './forwarded.ts';

/** Which requests are allowed by the names they carry. */
export interface RequestOrigins {
  /**
   * Without authentication, the loopback address is the only protection, but any web page can point
   * its own name at it (DNS rebinding). Such a request carries that name as its Host.
   */
  isHostAllowed(req: IncomingMessage): boolean;
  /**
   * Browsers open WebSockets to any server for any page, and only declare its origin: it must be
   * the service itself or a listed origin. Absent for clients that are not browsers.
   */
  isOriginAllowed(req: IncomingMessage): boolean;
  /** Base of links in responses: an origin, and the path prefix of PUBLIC_URL. */
  baseUrl(req: IncomingMessage): string;
}

export function createRequestOrigins(options: {
  /** Base of links; null for each request's own origin. */
  publicUrl: string | null;
  /**
   * Names besides the loopback ones and that of `publicUrl`, in lower case, IPv6 addresses in
   * brackets; null for any.
   */
  allowedHosts: readonly string[] | null;
  /** Other origins whose pages may use the API, as in `Origin`. */
  corsOrigins: readonly string[];
  forwarded: Pick<Forwarded, 'host' | 'protocol'>;
}): RequestOrigins {
  const { publicUrl, allowedHosts, corsOrigins, forwarded } = options;
  const own = publicUrl === null ? null : new URL(publicUrl);

  const names = [...(allowedHosts ?? []), ...(own === null ? [] : [own.hostname])];
  const isAllowed = (host: string) => isHostAmong(names, host);

  return {
    isHostAllowed(req) {
      if (allowedHosts === null) return true;
      if (!isHostAmong(names, req.headers.host)) return false;
      // A trusted proxy knows its names, but a list overrides it.
      const forwardedHost = allowedHosts.length > 0 ? forwarded.host(req) : null;
      return forwardedHost === null || isAllowed(forwardedHost);
    },
    isOriginAllowed(req) {
      const { origin, host } = req.headers;
      if (origin === undefined || corsOrigins.includes(origin)) return true;
      const url = URL.parse(origin);
      if (url === null) return false;
      return url.host === host || url.host === forwarded.host(req) || url.origin === own?.origin;
    },
    baseUrl(req) {
      const host = forwarded.host(req) ?? req.headers.host ?? 'localhost';
      return publicUrl ?? `${forwarded.protocol(req)}://${host}`;
    },
  };
}

/** Whether a Host header has a loopback name or one of these. */
export function isHostAmong(names: readonly string[], host = ''): boolean {
  const name = withoutPort(host);
  return isLoopback(name.replace(/^\[(.*)\]$/, '$1')) || names.includes(name);
}

/** Name in a Host header, in lower case. */
function withoutPort(host: string): string {
  return host.replace(/:\d+$/, '').toLowerCase();
}
