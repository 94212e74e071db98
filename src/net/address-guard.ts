import { type LookupAddress, type LookupOptions, lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { buildConnector, Dispatcher } from 'undici';
import { AddressRefusedError } from '../errors.ts';
import { hasProxy, NO_PROXIES, type OutboundProxies } from './outbound-proxies.ts';
import { createOutboundRequests } from './outbound-requests.ts';

/**
 * Makes requests to URLs that others chose. Connects only to public addresses, so that nobody can
 * make this server call its own network, itself or its cloud's metadata service.
 */
export interface AddressGuard {
  /**
   * Does not follow redirects; each hop is a separate, guarded request.
   * @throws AddressRefusedError before a connection is made.
   */
  request(
    options: Dispatcher.RequestOptions & { readonly origin: string },
  ): Promise<Dispatcher.ResponseData>;
  /** Waits for running requests. Idempotent. */
  close(): Promise<void>;
}

export interface AddressGuardOptions {
  /** Hosts that are allowed whatever their address. The host is as in a URL, without brackets. */
  readonly allow?: (host: string, port: number) => boolean;
  /** Resolves names. @default dns.lookup */
  readonly lookup?: SystemLookup;
  /** @default 10_000 // 10 seconds */
  readonly connectTimeoutMs?: number;
  /** @default none */
  readonly proxies?: OutboundProxies;
}

type SystemLookup = (
  hostname: string,
  options: LookupOptions & { all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * A name is resolved once per connection, which uses exactly the checked addresses, so DNS
 * rebinding has no effect. If one address is not public, the whole name is rejected.
 *
 * With a proxy, the proxy resolves and connects. The name is therefore checked by its local
 * resolution first; a name that does not resolve locally is left to the proxy.
 */
export function createAddressGuard(options: AddressGuardOptions = {}): AddressGuard {
  const { allow = () => false, lookup = systemLookup, connectTimeoutMs = 10_000 } = options;
  const { proxies = NO_PROXIES } = options;
  const settings = { timeout: connectTimeoutMs, allowH2: false };

  function connector(build: typeof buildConnector): buildConnector.connector {
    const connectFreely = build({ ...settings });
    const connectGuarded = build({ ...settings, lookup: createGuardedLookup(lookup) });
    return (target, callback) => {
      const { hostname } = target;
      const port = portOf(target);
      if (allow(hostname, port)) {
        connectFreely(target, callback);
      } else if (isIP(hostname) !== 0 && !isPublicAddress(hostname)) {
        // net.connect does not call lookup for an address.
        queueMicrotask(() => callback(new AddressRefusedError(hostname, hostname), null));
      } else {
        connectGuarded(target, callback);
      }
    };
  }

  /** @throws AddressRefusedError */
  async function check(url: URL): Promise<void> {
    const hostname = url.hostname.replace(/^\[|\]$/g, '');
    if (allow(hostname, portOf(url))) return;
    const addresses = isIP(hostname) === 0 ? await resolve(hostname) : [hostname];
    const refused = addresses.find((address) => !isPublicAddress(address));
    if (refused !== undefined) throw new AddressRefusedError(hostname, refused);
  }

  const resolve = (hostname: string) =>
    new Promise<string[]>((done) => {
      lookup(hostname, { all: true }, (error, found) => {
        done(error === null ? found.map(({ address }) => address) : []);
      });
    });

  const requests = createOutboundRequests(proxies, { connector, connectTimeoutMs });
  return {
    async request(options) {
      if (hasProxy(proxies)) await check(new URL(options.origin));
      return requests.request(options);
    },
    close: requests.close,
  };
}

function portOf({ port, protocol }: { port: string; protocol: string }): number {
  return Number(port) || (protocol === 'https:' ? 443 : 80);
}

/**
 * Resolves once, for all addresses, and returns them only if each is public.
 * @throws AddressRefusedError by its callback
 */
export function createGuardedLookup(lookup: SystemLookup): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '');
      const refused = addresses.find(({ address }) => !isPublicAddress(address));
      if (refused) return callback(new AddressRefusedError(hostname, refused.address), '');
      if (options.all) return callback(null, addresses);
      const [first] = addresses;
      callback(null, first?.address ?? '', first?.family);
    });
  };
}

/** The only block that IANA assigns as global unicast; ipaddr.js also takes unassigned ones for it. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * Whether a literal IP address is public unicast: globally reachable by the IANA special-purpose
 * registries (RFC 6890). IPv6 addresses that contain an IPv4 address (mapped, NAT64, 6to4, Teredo)
 * are not, whichever it is.
 */
export function isPublicAddress(address: string): boolean {
  // ipaddr.js also parses forms such as `127.1`.
  if (isIP(address) === 0) return false;
  const ip = ipaddr.parse(address);
  if (ip.range() !== 'unicast') return false;
  return ip instanceof ipaddr.IPv4 || ip.match(GLOBAL_UNICAST);
}
