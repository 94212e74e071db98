import {
  Agent,
  type buildConnector,
  type Dispatcher,
  EnvHttpProxyAgent,
  errors,
  Pool,
} from 'undici';

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

/**
 * HTTP/1.1 through the proxy for a URL, if any: with CONNECT for https, with a request to the proxy
 * for http. Reads no environment variable.
 */
export function createProxiedDispatcher(
  proxies: OutboundProxies,
  options: {
    /**
     * Timeout of name resolution, TCP and TLS together, and again of a proxy's response to CONNECT.
     */
    connectTimeoutMs: number;
    /** How to connect without a proxy. */
    connect?: buildConnector.connector;
  },
): Dispatcher {
  const { connectTimeoutMs, connect = { timeout: connectTimeoutMs, allowH2: false } } = options;
  if (!hasProxy(proxies)) return new Agent({ connect, allowH2: false });
  return new EnvHttpProxyAgent({
    httpProxy: proxies.http ?? '',
    httpsProxy: proxies.https ?? '',
    noProxy: proxies.except,
    allowH2: false,
    connectTimeout: connectTimeoutMs,
    connect,
    clientFactory: (origin, settings) =>
      new Pool(origin, { ...settings, headersTimeout: connectTimeoutMs }),
  });
}

/** The status of a proxy that rejected a request without forwarding it; null for other errors. */
export function statusOfProxy(error: unknown): number | null {
  // undici has no error class for either.
  if (
    !(error instanceof errors.RequestAbortedError || error instanceof errors.InvalidArgumentError)
  ) {
    return null;
  }
  const [, status] =
    /^Proxy (?:response|Authentication Required) \((\d{3})\)/.exec(error.message) ?? [];
  return status === undefined ? null : Number(status);
}
