import { type LookupAddress, type LookupOptions, lookup as systemLookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { buildConnector, type Dispatcher } from 'undici';
import { AddressRefusedError } from '../errors.ts';
import {
  createProxiedDispatcher,
  hasProxy,
  NO_PROXIES,
  type OutboundProxies,
} from './outbound-proxies.ts';

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
  const connectFreely = buildConnector({ ...settings });
  const connectGuarded = buildConnector({ ...settings, lookup: createGuardedLookup(lookup) });

  const connect: buildConnector.connector = (target, callback) => {
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

  const agent = createProxiedDispatcher(proxies, { connect, connectTimeoutMs });
  let closed: Promise<void> | undefined;
  return {
    async request(options) {
      if (hasProxy(proxies)) await check(new URL(options.origin));
      return agent.request(options);
    },
    close: () => (closed ??= agent.close()),
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

/**
 * Whether a literal IP address is public unicast: globally reachable by the IANA special-purpose
 * registries (RFC 6890). IPv6 forms that embed an IPv4 address (mapped, NAT64, 6to4, Teredo) never
 * are.
 */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !specialIPv4.check(address, 'ipv4');
    case 6:
      return globalIPv6.check(address, 'ipv6') && !specialIPv6.check(address, 'ipv6');
    default:
      return false;
  }
}

const specialIPv4 = blockList('ipv4', [
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private
  '100.64.0.0/10', // carrier-grade NAT
  '127.0.0.0/8', // loopback
  '169.254.0.0/16', // link-local, metadata services
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16', // private
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, broadcast
]);

/**
 * The only block that IANA assigns as global unicast; all others (ULA, link-local …) are special.
 */
const globalIPv6 = blockList('ipv6', ['2000::/3']);

const specialIPv6 = blockList('ipv6', [
  '2001::/23', // protocol assignments: Teredo, benchmarks, ORCHID
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4
  '3fff::/20', // documentation
]);

function blockList(family: 'ipv4' | 'ipv6', subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [network = '', prefix = ''] = subnet.split('/');
    list.addSubnet(network, Number(prefix), family);
  }
  return list;
}
