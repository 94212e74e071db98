import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { createForwarded } from '../../src/http/forwarded.ts';
import { createRequestOrigins } from '../../src/http/origin.ts';
import { createTrustedProxies } from '../../src/net/trusted-proxies.ts';

function request(remoteAddress: string, headers: Record<string, string> = {}): IncomingMessage {
  return { socket: { remoteAddress }, headers } as unknown as IncomingMessage;
}

function forwarded(...proxies: string[]) {
  return createForwarded({
    isTrusted: createTrustedProxies(proxies),
    hasProxies: proxies.length > 0,
  });
}

const OURS = ['127.0.0.1', '10.0.0.0/8', '2001:db8:1::/48'];

test.each([
  ['the peer, whatever it says of others', '192.0.2.7', '203.0.113.9', '192.0.2.7'],
  ['whom a proxy of ours names', '127.0.0.1', '203.0.113.9', '203.0.113.9'],
  [
    'the rightmost that is no proxy of ours',
    '127.0.0.1',
    '1.1.1.1, 203.0.113.9, 10.1.2.3',
    '203.0.113.9',
  ],
  ['the proxy itself where it names nobody', '10.1.2.3', undefined, '10.1.2.3'],
  ['the first of our own machines where all are', '127.0.0.1', '10.9.9.9, 10.1.2.3', '10.9.9.9'],
  ['without its port', '127.0.0.1', '203.0.113.9:5000', '203.0.113.9'],
  ['as IPv4 although it comes over IPv6', '::ffff:127.0.0.1', '::ffff:203.0.113.9', '203.0.113.9'],
  ['as IPv4, however it is written', '127.0.0.1', '::ffff:cb00:7109', '203.0.113.9'],
  ['the block of an IPv6 address', '2001:db8:1::5', '2001:db8:2:3:4:5:6:7', '2001:db8:2:3::/64'],
  ['that block, however it is written', '127.0.0.1', '[2001:0db8:2:3::1]:80', '2001:db8:2:3::/64'],
  ['what is no address, as it is', '127.0.0.1', 'unknown', 'unknown'],
])('a client is %s', (_, peer, header, client) => {
  const headers: Record<string, string> = header === undefined ? {} : { 'x-forwarded-for': header };
  expect(forwarded(...OURS).client(request(peer, headers))).toBe(client);
});

test('processes on this machine share no limit where no proxy is trusted', () => {
  for (const peer of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) {
    expect(forwarded().client(request(peer, { 'x-forwarded-for': '203.0.113.9' }))).toBeNull();
  }
  expect(forwarded().client(request('192.0.2.7'))).toBe('192.0.2.7');
});

/** Where links lead. */
function base(peer: string, headers: Record<string, string>, publicUrl: string | null = null) {
  const origins = createRequestOrigins({
    publicUrl,
    allowedHosts: [],
    corsOrigins: [],
    forwarded: forwarded('127.0.0.1'),
  });
  return origins.baseUrl(request(peer, { host: '127.0.0.1:4000', ...headers }));
}

test('links lead where a trusted proxy was asked, and nowhere that another names', () => {
  const headers = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'retouch.example:8443' };
  expect(base('127.0.0.1', headers)).toBe('https://retouch.example:8443');
  expect(base('127.0.0.1', { 'x-forwarded-proto': 'https' })).toBe('https://127.0.0.1:4000');
  expect(base('192.0.2.7', headers)).toBe('http://127.0.0.1:4000');
  expect(base('127.0.0.1', headers, 'https://a.example/b')).toBe('https://a.example/b');
});

test.each(['evil.example/x?', 'a b', '<script>', 'user@evil.example', 'x:99999999'])(
  'a forwarded host that is none is ignored: %s',
  (host) => {
    expect(base('127.0.0.1', { 'x-forwarded-host': host })).toBe('http://127.0.0.1:4000');
  },
);

test('of several proxies the outermost tells what the client used', () => {
  const headers = { 'x-forwarded-proto': 'https, http', 'x-forwarded-host': 'a.example, b.local' };
  expect(base('127.0.0.1', headers)).toBe('https://a.example');
});

test('names that are listed hold for the forwarded host too, and PUBLIC_URL’s is among them', () => {
  const origins = (allowedHosts: string[]) =>
    createRequestOrigins({
      publicUrl: 'https://public.example/retouch',
      allowedHosts,
      corsOrigins: [],
      forwarded: forwarded('127.0.0.1'),
    });
  const host = (name: string, forwardedHost?: string) =>
    request('127.0.0.1', {
      host: name,
      ...(forwardedHost !== undefined && { 'x-forwarded-host': forwardedHost }),
    });
  expect(origins([]).isHostAllowed(host('public.example'))).toBe(true);
  expect(origins([]).isHostAllowed(host('evil.example'))).toBe(false);
  expect(origins([]).isHostAllowed(host('localhost', 'any.example'))).toBe(true);
  expect(origins(['a.example']).isHostAllowed(host('localhost', 'a.example'))).toBe(true);
  expect(origins(['a.example']).isHostAllowed(host('localhost', 'public.example'))).toBe(true);
  expect(origins(['a.example']).isHostAllowed(host('localhost', 'any.example'))).toBe(false);
});
