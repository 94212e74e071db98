import type { LookupAddress } from 'node:dns';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AddressRefusedError } from '../../src/errors.ts';
import {
  type AddressGuardOptions,
  createAddressGuard,
  createGuardedLookup,
  isPublicAddress,
} from '../../src/net/address-guard.ts';
import { serve } from '../support/http.ts';

/** A guard, and a server on 127.0.0.1 that counts who got through. */
async function guarded(options: AddressGuardOptions = {}) {
  const seen: (string | undefined)[] = [];
  const { port } = await serve((req, res) => {
    seen.push(req.url);
    res.end('inside');
  });
  const guard = createAddressGuard(options);
  onTestFinished(() => guard.close());
  const get = (host: string, path = '/') =>
    guard.request({ origin: `http://${host}:${port}`, path, method: 'GET' });
  return { guard, seen, port, get };
}

const answering = (...addresses: string[]) => {
  let calls = 0;
  const lookup: AddressGuardOptions['lookup'] = (_, __, callback) => {
    calls += 1;
    callback(null, addresses.map(toLookupAddress));
  };
  return { lookup, calls: () => calls };
};

function toLookupAddress(address: string): LookupAddress {
  return { address, family: address.includes(':') ? 6 : 4 };
}

describe('the address guard', () => {
  it.each([
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '0.0.0.0',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::127.0.0.1]',
    '[64:ff9b::7f00:1]',
    'localhost',
  ])('makes no connection to %s', async (host) => {
    const { get, seen } = await guarded();
    await expect(get(host)).rejects.toBeInstanceOf(AddressRefusedError);
    expect(seen).toEqual([]);
  });

  it('makes no connection to a name that means an inner address', async () => {
    const { get, seen } = await guarded(answering('127.0.0.1'));
    await expect(get('harmless.example')).rejects.toMatchObject({
      code: 'ADDRESS_REFUSED',
      host: 'harmless.example',
      address: '127.0.0.1',
    });
    expect(seen).toEqual([]);
  });

  it('makes no connection to a name with one inner address among public ones', async () => {
    const { get, seen } = await guarded(answering('8.8.8.8', '127.0.0.1'));
    await expect(get('harmless.example')).rejects.toBeInstanceOf(AddressRefusedError);
    expect(seen).toEqual([]);
  });

  it('follows no redirect by itself', async () => {
    const { url } = await serve((_, res) => {
      res.writeHead(302, { location: 'http://169.254.169.254/' }).end();
    });
    const { guard } = await guarded({ allow: () => true });
    expect((await guard.request({ origin: url, path: '/', method: 'GET' })).statusCode).toBe(302);
  });

  it('connects wherever it is allowed to, by host and port', async () => {
    const asked: [string, number][] = [];
    const { get, port } = await guarded({
      allow: (host, at) => asked.push([host, at]) > 0 && host === '127.0.0.1' && at === port,
    });

    expect(await (await get('127.0.0.1')).body.text()).toBe('inside');
    await expect(get('localhost')).rejects.toBeInstanceOf(AddressRefusedError);
    expect(asked).toEqual([
      ['127.0.0.1', port],
      ['localhost', port],
    ]);
  });

  it('reports a name that does not resolve as such', async () => {
    const { get } = await guarded();
    await expect(get('nowhere.invalid')).rejects.toThrow(/ENOTFOUND|EAI_AGAIN/);
  });

  it('can be closed twice', async () => {
    const guard = createAddressGuard();
    await guard.close();
    await guard.close();
  });
});

describe('the guarded lookup', () => {
  it('asks once and answers with what it checked, so rebinding gains nothing', async () => {
    const { lookup, calls } = answering('8.8.8.8', '2606:4700::1111');
    const guardedLookup = promisify(createGuardedLookup(lookup ?? (() => {})));

    expect(await guardedLookup('a.example', { all: true })).toEqual([
      { address: '8.8.8.8', family: 4 },
      { address: '2606:4700::1111', family: 6 },
    ]);
    expect(calls()).toBe(1);
    expect(await guardedLookup('a.example', {})).toBe('8.8.8.8');
    expect(calls()).toBe(2);
  });
});

describe('a public address', () => {
  it.each([
    '1.1.1.1',
    '8.8.8.8',
    '11.0.0.1',
    '100.63.255.255',
    '100.128.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '192.167.255.255',
    '198.17.255.255',
    '198.20.0.0',
    '223.255.255.255',
    '2606:4700::1111',
    '2a00:1450::1',
    '2001:4860::8888',
  ])('%s is one', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it.each([
    '0.0.0.0',
    '0.1.2.3',
    '10.1.2.3',
    '100.64.0.1',
    '100.127.255.255',
    '127.0.0.1',
    '127.255.255.255',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.8',
    '192.0.2.1',
    '192.88.99.1',
    '192.168.1.1',
    '198.18.0.1',
    '198.19.255.255',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '239.255.255.255',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::8.8.8.8',
    '::ffff:8.8.8.8',
    '::ffff:0:8.8.8.8',
    '64:ff9b::8.8.8.8',
    '64:ff9b:1::1',
    '100::1',
    '2001::1',
    '2001:2::1',
    '2001:20::1',
    '2001:db8::1',
    '2002:7f00:1::',
    '3fff::1',
    '5f00::1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    'localhost',
    '',
    '127.1',
  ])('%j is none', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});
