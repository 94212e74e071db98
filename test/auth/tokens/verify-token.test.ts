import { createHmac, KeyObject, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createVerifyToken, type TokenIssuer } from '../../../src/auth/tokens/verify-token.ts';
import { ForbiddenError, UnauthenticatedError, UnavailableError } from '../../../src/errors.ts';

const ISSUER = 'https://id.example/';
const AUDIENCE = 'https://retouch.example';
const NOW = new Date('2026-11-29T12:00:00Z');
const nowSeconds = NOW.getTime() / 1_000;

let rsa: CryptoKeyPair;
let ec: CryptoKeyPair;
let publicKey: string;
type CryptoKeyPair = Awaited<ReturnType<typeof generateKeyPair>>;

beforeAll(async () => {
  rsa = await generateKeyPair('RS256', { extractable: true });
  ec = await generateKeyPair('ES256', { extractable: true });
  publicKey = await exportSPKI(rsa.publicKey);
});

const issuer = (more: Partial<TokenIssuer> = {}): TokenIssuer => ({
  issuer: ISSUER,
  audience: [AUDIENCE],
  keys: { publicKey },
  algorithms: ['RS256', 'ES256'],
  scopeClaim: 'scope',
  scopes: [],
  ...more,
});
const verifier = (...issuers: TokenIssuer[]) => createVerifyToken({ issuers, now: () => NOW });

const GOOD = {
  iss: ISSUER,
  aud: AUDIENCE,
  sub: 'ann',
  exp: nowSeconds + 300,
  scope: 'openid edit',
};
function sign(claims: JWTPayload, header: object = {}) {
  return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', ...header }).sign(rsa.privateKey);
}
const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a token', () => {
  test('makes a viewer whose owner is the subject, with the issuer before it', async () => {
    const { viewer, expiresAt } = await verifier(issuer())(await sign(GOOD));
    expect(viewer).toMatchObject({
      ownerId: `${ISSUER}|ann`,
      reads: `${ISSUER}|ann`,
      isAdmin: false,
      canEdit: true,
      credential: { kind: 'JWT' },
    });
    expect(expiresAt).toEqual(new Date((nowSeconds + 300) * 1_000));
  });

  const without = (name: keyof typeof GOOD) => {
    const { [name]: _, ...rest } = GOOD;
    return rest;
  };
  const rejected: [string, () => Promise<string> | string][] = [
    ['of another issuer', () => sign({ ...GOOD, iss: 'https://evil.example/' })],
    ['without an issuer', () => sign(without('iss'))],
    ['for another audience', () => sign({ ...GOOD, aud: 'https://other.example' })],
    ['without an audience', () => sign(without('aud'))],
    ['that has expired', () => sign({ ...GOOD, exp: nowSeconds - 60 })],
    ['that never expires', () => sign(without('exp'))],
    ['without a subject', () => sign(without('sub'))],
    ['that is not valid yet', () => sign({ ...GOOD, nbf: nowSeconds + 60 })],
    ['of the algorithm none', () => `${base64url({ alg: 'none' })}.${base64url(GOOD)}.`],
    [
      'signed by HS256 with the public key as the secret',
      () => {
        const text = `${base64url({ alg: 'HS256', typ: 'JWT' })}.${base64url(GOOD)}`;
        return `${text}.${createHmac('sha256', publicKey).update(text).digest('base64url')}`;
      },
    ],
    [
      'signed by another key',
      async () =>
        new SignJWT(GOOD)
          .setProtectedHeader({ alg: 'RS256' })
          .sign((await generateKeyPair('RS256')).privateKey),
    ],
    [
      'of an algorithm that the issuer does not list',
      async () =>
        // With the issuer's own key, which can make such signatures too.
        new SignJWT(GOOD).setProtectedHeader({ alg: 'PS256' }).sign(KeyObject.from(rsa.privateKey)),
    ],
    [
      'whose claims were changed',
      async () => {
        const [head, , signature] = (await sign(GOOD)).split('.');
        return `${head}.${base64url({ ...GOOD, sub: 'boss' })}.${signature}`;
      },
    ],
    [
      'with a critical header that is unknown',
      () =>
        new SignJWT(GOOD)
          .setProtectedHeader({ alg: 'RS256', crit: ['x'], x: 1 })
          .sign(rsa.privateKey, { crit: { x: true } }),
    ],
    ['that is no token', () => 'eyJ.eyJ.x'],
    ['that is a word', () => 'hello'],
  ];
  test.each(rejected)('%s is rejected', async (_, make) => {
    await expect(verifier(issuer())(await make())).rejects.toThrow(UnauthenticatedError);
  });

  test.each([
    ['expired', { exp: nowSeconds - 4 }, { exp: nowSeconds - 6 }],
    ['will be valid', { nbf: nowSeconds + 4 }, { nbf: nowSeconds + 6 }],
  ])('that %s within 5 seconds is accepted, as clocks differ', async (_, near, far) => {
    const verify = verifier(issuer());
    await expect(verify(await sign({ ...GOOD, ...near }))).resolves.toMatchObject({});
    await expect(verify(await sign({ ...GOOD, ...far }))).rejects.toThrow(UnauthenticatedError);
  });

  test.each([
    '../../etc/passwd',
    'x'.repeat(10_000),
    "' OR 1=1 --",
    'http://127.0.0.1:1/keys',
    '\u0000',
  ])('with the key id %j is checked with the configured key only', async (kid) => {
    await expect(verifier(issuer())(await sign(GOOD, { kid }))).resolves.toMatchObject({});
    const { url } = await serveKeys();
    const remote = verifier(issuer({ keys: { jwksUrl: url } }));
    await expect(remote(await sign(GOOD, { kid }))).rejects.toThrow(UnauthenticatedError);
  });

  test('is not checked with keys that its own header brings', async () => {
    const other = await generateKeyPair('RS256', { extractable: true });
    const jwk = await exportJWK(other.publicKey);
    const jku = (await serveKeys(other)).url;
    const token = await new SignJWT(GOOD)
      .setProtectedHeader({ alg: 'RS256', jwk, jku, kid: 'one' })
      .sign(other.privateKey);
    await expect(verifier(issuer())(token)).rejects.toThrow(UnauthenticatedError);
  });

  test('is verified with the issuer’s key set, by its key id', async () => {
    const { url } = await serveKeys();
    const verify = verifier(issuer({ keys: { jwksUrl: url } }));
    await expect(verify(await sign(GOOD, { kid: 'one' }))).resolves.toMatchObject({});
    const signed = await new SignJWT(GOOD)
      .setProtectedHeader({ alg: 'ES256', kid: 'two' })
      .sign(ec.privateKey);
    await expect(verify(signed)).resolves.toMatchObject({});
    // Two keys of one algorithm.
    await expect(verify(await sign(GOOD, { kid: 'three' }))).rejects.toThrow(UnauthenticatedError);
  });

  test('is not rejected but cannot be checked while the issuer does not respond', async () => {
    const verify = verifier(issuer({ keys: { jwksUrl: 'http://127.0.0.1:1/keys' } }));
    await expect(verify(await sign(GOOD, { kid: 'one' }))).rejects.toThrow(UnavailableError);
  });

  test('of each issuer is checked with that issuer’s key only', async () => {
    const other = 'https://other.example';
    const both = verifier(
      issuer(),
      issuer({ issuer: other, keys: { publicKey: await exportSPKI(ec.publicKey) } }),
    );
    await expect(both(await sign({ ...GOOD, iss: other }))).rejects.toThrow(UnauthenticatedError);
    const own = await new SignJWT({ ...GOOD, iss: other })
      .setProtectedHeader({ alg: 'ES256' })
      .sign(ec.privateKey);
    expect((await both(own)).viewer.ownerId).toBe(`${other}|ann`);
  });

  test.each([
    [{ scope: 'read' }, { canEdit: false, isAdmin: false }],
    [{ scope: ['retouch:edit', 'profile'] }, { canEdit: true, isAdmin: false }],
    [{ scope: 'retouch:admin' }, { canEdit: true, isAdmin: true }],
  ])('with the claim %j has these rights: %j', async (claims, rights) => {
    const { viewer } = await verifier(issuer())(await sign({ ...GOOD, ...claims }));
    expect(viewer).toMatchObject(rights);
  });

  test.each([{ scope: '' }, { scope: 'administrator' }, { scope: { edit: true } }, { scope: 7 }])(
    'with the claim %j allows nothing',
    async (claims) => {
      const token = await sign({ ...GOOD, ...claims } as JWTPayload);
      await expect(verifier(issuer())(token)).rejects.toThrow(ForbiddenError);
    },
  );

  test('has its scopes in a nested claim, or in one whose name has dots', async () => {
    const nested = verifier(issuer({ scopeClaim: 'realm_access.roles' }));
    const roles = { realm_access: { roles: ['read'] } };
    expect((await nested(await sign({ ...GOOD, ...roles }))).viewer.canEdit).toBe(false);
    const named = verifier(issuer({ scopeClaim: 'https://retouch.example/scopes' }));
    const scopes = { 'https://retouch.example/scopes': ['admin'] };
    expect((await named(await sign({ ...GOOD, ...scopes }))).viewer.isAdmin).toBe(true);
  });

  test('that was verified once is rejected when it has expired', async () => {
    let now = NOW;
    const verify = createVerifyToken({ issuers: [issuer()], now: () => now });
    // Before what was verified is forgotten anyway.
    const token = await sign({ ...GOOD, exp: nowSeconds + 30 });
    await verify(token);
    now = new Date((nowSeconds + 40) * 1_000);
    await expect(verify(token)).rejects.toThrow(UnauthenticatedError);
  });
});

/** The issuer's public keys over HTTP. */
async function serveKeys(pair: CryptoKeyPair = rsa) {
  const one = { ...(await exportJWK(pair.publicKey)), kid: 'one', alg: 'RS256' };
  const two = { ...(await exportJWK(ec.publicKey)), kid: 'two', alg: 'ES256' };
  const { publicKey: another } = await generateKeyPair('RS256', { extractable: true });
  const three = { ...(await exportJWK(another)), kid: 'three', alg: 'RS256' };
  const server = createServer((_, res) => {
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify({ keys: [one, two, three] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/${randomUUID()}` };
}
