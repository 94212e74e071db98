import type { Dispatcher } from 'undici';
import type { DispatcherOptions } from './proxied-dispatcher.ts';

/** Proxies for outbound requests. */
export interface OutboundProxies {
  /** For http:// URLs; null for none. */
  readonly http: string | null;
  /** For https:// URLs; null to use `http`. */
  readonly https: string | null;
  /** Hosts that are reached without a proxy, as in NO_PROXY. */
  readonly except: string;
}

export const NO_PROXIES: OutboundProxies = { http: null, https: null, except: '' };

export function hasProxy({ http, https }: OutboundProxies): boolean {
  return http !== null || https !== null;
}

/** Makes requests of HTTP/1.1, through the proxy for a URL, if any. */
export interface OutboundRequests {
  request(
    options: Dispatcher.RequestOptions & { readonly origin: string },
  ): Promise<Dispatcher.ResponseData>;
  /** Waits for running requests. Idempotent. */
  close(): Promise<void>;
}

/** The library is loaded by the first request: it takes 8 MB, and many processes make none. */
export function createOutboundRequests(
  proxies: OutboundProxies,
  options: DispatcherOptions,
): OutboundRequests {
  let opened: Promise<Dispatcher> | undefined;
  let closed: Promise<void> | undefined;
  async function open(): Promise<Dispatcher> {
    const { createProxiedDispatcher } = await import('./proxied-dispatcher.ts');
    return createProxiedDispatcher(proxies, options);
  }
  return {
    async request(request) {
      if (closed !== undefined) throw new Error('no more requests are made');
      opened ??= open();
      return (await opened).request(request);
    },
    close: () => (closed ??= Promise.resolve(opened).then((dispatcher) => dispatcher?.close())),
  };
}

/** The status of a proxy that rejected a request without forwarding it; null for other errors. */
export function statusOfProxy(error: unknown): number | null {
  // undici has no error class for either.
  if (!(hasCode(error, 'UND_ERR_ABORTED') || hasCode(error, 'UND_ERR_INVALID_ARG'))) return null;
  const [, status] =
    /^Proxy (?:response|Authentication Required) \((\d{3})\)/.exec(error.message) ?? [];
  return status === undefined ? null : Number(status);
}

/** By the code, because the classes would load the library. */
export function hasCode(error: unknown, code: string): error is Error {
  return error instanceof Error && 'code' in error && error.code === code;
}
