import type { Dispatcher } from 'undici';
import type { OutboundProxies } from './outbound-proxies.ts';
import type { DispatcherOptions } from './proxied-dispatcher.ts';

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
