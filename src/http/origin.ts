import type { IncomingMessage } from 'node:http';
import { isLoopback } from '../config/config.ts';
import type { Forwarded } from './forwarded.ts';

/** Which requests may be here at all, by the names they carry. */
export interface RequestOrigins {
  /**
   * Without authentication the loopback address is the only guard, and a page anywhere on the web
   * can point its own name at it (DNS rebinding): such a request carries that name as its Host.
   */
  isHostAllowed(req: IncomingMessage): boolean;
  /**
   * A browser opens a WebSocket to any server for any page, cookies and all, and only says whose
   * page it is: one of the service itself or of a listed origin. Absent: no browser.
   */
  isOriginAllowed(req: IncomingMessage): boolean;
  /** What links in answers begin with: an origin, and the path prefix of PUBLIC_URL. */
  baseUrl(req: IncomingMessage): string;
}

export function createRequestOrigins(options: {
  /** Base of links; null: each request's own origin. */
  publicUrl: string | null;
  /**
   * Names besides the loopback ones and that of `publicUrl`, in lower case, IPv6 addresses in
   * brackets; null: any.
   */
  allowedHosts: readonly string[] | null;
  /** Other origins whose pages may use the API, as browsers write them. */
  corsOrigins: readonly string[];
  forwarded: Pick<Forwarded, 'host' | 'protocol'>;
}): RequestOrigins {
  const { publicUrl, allowedHosts, corsOrigins, forwarded } = options;
  const own = publicUrl === null ? null : new URL(publicUrl);

  function isAllowed(host: string): boolean {
    const name = withoutPort(host);
    const isOurs = isLoopback(name.replace(/^\[(.*)\]$/, '$1')) || name === own?.hostname;
    return isOurs || allowedHosts?.includes(name) === true;
  }

  return {
    isHostAllowed(req) {
      if (allowedHosts === null) return true;
      if (!isAllowed(req.headers.host ?? '')) return false;
      // A trusted proxy knows its names. But a list says which of them are meant.
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

/** Of a Host header, in lower case. */
function withoutPort(host: string): string {
  return host.replace(/:\d+$/, '').toLowerCase();
}
