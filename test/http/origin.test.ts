import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { createRequestOrigins } from '../../src/http/origin.ts';

const NOTHING = { host: () => null, protocol: () => 'http' as const };

const LOOPBACK = ['localhost', 'LOCALHOST:4000', '127.0.0.1', '127.8.9.10:80', '[::1]', '[::1]:1'];
const LISTED = ['retouch.example', 'Retouch.Example:8080', '[2001:db8::1]', '[2001:DB8::1]:443'];
const OTHERS = ['evil.example', 'localhost.evil.example', 'x.retouch.example', '2001:db8::1', ''];

function allowed(hosts: readonly string[], allowedHosts: readonly string[] | null): string[] {
  const origins = createRequestOrigins({
    publicUrl: null,
    allowedHosts,
    corsOrigins: [],
    forwarded: NOTHING,
  });
  return hosts.filter((host) => origins.isHostAllowed({ headers: { host } } as IncomingMessage));
}

test('a name that leads here is answered to only if it is this machine’s own, or listed', () => {
  const all = [...LOOPBACK, ...LISTED, ...OTHERS];
  expect(allowed(all, [])).toEqual(LOOPBACK);
  expect(allowed(all, ['retouch.example', '[2001:db8::1]'])).toEqual([...LOOPBACK, ...LISTED]);
  expect(allowed(all, null)).toEqual(all);
});
