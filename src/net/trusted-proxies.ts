import { BlockList, isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Whether the address belongs to a proxy whose `X-Forwarded-*` headers are trusted. */
export type IsTrustedProxy = (address: string) => boolean;

/** @param entries IP addresses and CIDR blocks. */
export function createTrustedProxies(entries: readonly string[]): IsTrustedProxy {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', prefix] = entry.split('/');
    const family = familyOf(address);
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return (address) => isIP(address) !== 0 && list.check(address, familyOf(address));
}

/** An IPv4 address on an IPv6 socket (`::ffff:192.0.2.1`) as IPv4; anything else as it is. */
export function unmapped(address: string): string {
  return isIP(address) === 6 ? ipaddr.process(address).toString() : address;
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
