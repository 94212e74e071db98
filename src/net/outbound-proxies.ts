import {
  Agent,
  type buildConnector,
  type Dispatcher,
  EnvHttpProxyAgent,
  errors,
  Pool,
} from 'undici';

/** Proxies for requests to others. */
export interface OutboundProxies {
  /** For http:// URLs; null: none. */
  readonly http: string | null;
  /** For https:// URLs; null: `http`. */
  readonly https: string | null;
  /** Hosts that are reached directly: as NO_PROXY has them. */
  readonly except: string;
}

export const NO_PROXIES: OutboundProxies = { http: null, https: null, except: '' };

export function hasProxy({ http, https }: OutboundProxies): boolean {
  return http !== null || https !== null;
}

/**
 * HTTP/1.1 over the proxy that is meant for a URL, if any: by CONNECT for https, by a request to the
 * proxy for http. No environment variable
 * is read here.
 */
export function createProxiedDispatcher(
  proxies: OutboundProxies,
  options: {
    /** For name resolution, TCP and TLS together; and as long for a proxy's response to CONNECT. */
    connectTimeoutMs: number;
    /** How to connect where there is no proxy. */
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

/** The status with which a proxy rejected a request without passing it on; null: another error. */
export function statusOfProxy(error: unknown): number | null {
  // undici has no class of its own for either.
  if (
    !(error instanceof errors.RequestAbortedError || error instanceof errors.InvalidArgumentError)
  ) {
    return null;
  }
  const [, status] =
    /^Proxy (?:response|Authentication Required) \((\d{3})\)/.exec(error.message) ?? [];
  return status === undefined ? null : Number(status);
}
