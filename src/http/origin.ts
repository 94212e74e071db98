import type { IncomingMessage } from 'node:http';
import { isLoopback } from '../config.ts';

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
  /** Origin of links in answers. */
  baseUrl(req: IncomingMessage): string;
}

export function createRequestOrigins(options: {
  /** Origin of links; null: each request's own. */
  publicUrl: string | null;
  /** Names besides the loopback ones, in lower case, IPv6 addresses in brackets; null: any. */
  allowedHosts: readonly string[] | null;
  /** Other origins whose pages may use the API, as browsers write them. */
  corsOrigins: readonly string[];
}): RequestOrigins {
  const { publicUrl, allowedHosts, corsOrigins } = options;
  return {
    isHostAllowed(req) {
      if (allowedHosts === null) return true;
      const name = hostName(req);
      return isLoopback(name.replace(/^\[(.*)\]$/, '$1')) || allowedHosts.includes(name);
    },
    isOriginAllowed(req) {
      const { origin, host } = req.headers;
      if (origin === undefined || corsOrigins.includes(origin)) return true;
      const url = URL.parse(origin);
      if (url === null) return false;
      return url.host === host || (publicUrl !== null && url.origin === new URL(publicUrl).origin);
    },
    baseUrl: (req) => publicUrl ?? `http://${req.headers.host ?? 'localhost'}`,
  };
}

/** The Host header's name, without its port. */
function hostName(req: IncomingMessage): string {
  const host = req.headers.host ?? '';
  return host.replace(/:\d+$/, '').toLowerCase();
}
