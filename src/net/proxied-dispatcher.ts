import { Agent, buildConnector, type Dispatcher, EnvHttpProxyAgent, Pool } from 'undici';
import { hasProxy, type OutboundProxies } from './outbound-proxies.ts';

export interface DispatcherOptions {
  /**
   * Timeout of name resolution, TCP and TLS together, and again of a proxy's response to CONNECT.
   */
  readonly connectTimeoutMs: number;
  /** How to connect without a proxy. */
  readonly connector?: (build: typeof buildConnector) => buildConnector.connector;
}

/**
 * HTTP/1.1 through the proxy for a URL, if any: with CONNECT for https, with a request to the proxy
 * for http. Reads no environment variable.
 */
export function createProxiedDispatcher(
  proxies: OutboundProxies,
  { connectTimeoutMs, connector }: DispatcherOptions,
): Dispatcher {
  const connect = connector?.(buildConnector) ?? { timeout: connectTimeoutMs, allowH2: false };
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
