import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startTestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { freePorts } from '../support/nginx.ts';

const ACCESS = await readFile(join(import.meta.dirname, '../../docs/access.md'), 'utf8');
const SECRET_KEY = Buffer.from(Array.from({ length: 32 }, (_, i) => i * 5)).toString('base64');

/** The settings of a section of docs/access.md, word for word. */
function settingsOf(heading: string): Record<string, string> {
  const [, section = ''] = ACCESS.split(`\n## ${heading}\n`);
  const [, block = ''] = /```sh\n([\s\S]*?)```/.exec(section) ?? [];
  const settings = parseEnv(block) as Record<string, string>;
  expect(Object.keys(settings).length, heading).toBeGreaterThan(1);
  return settings;
}

async function start(settings: Record<string, string>) {
  // Its own URL may be that of a proxy.
  const [port] = await freePorts(1);
  const app = await startTestApp({ SECRET_KEY, ...settings, PORT: String(port) });
  onTestFinished(() => app.stop());
  return {
    async viewer(headers: Record<string, string>) {
      const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: '{"query":"{ viewer { id isAdmin } }"}',
      });
      const { data } = await response.json();
      return { status: response.status, viewer: data?.viewer };
    },
  };
}

describe.runIf(hasDatabase)('the set-up of docs/access.md', () => {
  test('for apps with API keys serves other machines, and nobody without a key', async () => {
    const { viewer } = await start(settingsOf('Apps with API keys'));
    expect(await viewer({})).toMatchObject({ status: 401 });
    expect(await viewer({ 'x-forwarded-user': 'ann' })).toMatchObject({ status: 401 });
  });

  test('for one team behind a proxy serves the people whom the proxy names', async () => {
    const { viewer } = await start(settingsOf('One team behind a proxy'));
    expect(await viewer({})).toMatchObject({ status: 401 });
    const ann = await viewer({ 'x-forwarded-user': 'ann@example.com' });
    expect(ann).toEqual({ status: 200, viewer: { id: 'ann@example.com', isAdmin: false } });
  });

  test('for a federation with tokens serves the subjects of the issuer’s tokens', async () => {
    const settings = settingsOf('A federation with tokens');
    const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
    const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256' }] };
    const issuer = createServer((_, res) => res.end(JSON.stringify(keys)));
    await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void issuer.close());
    const { port } = issuer.address() as AddressInfo;
    // The issuer is on this machine; everything else is as written.
    const { viewer } = await start({
      ...settings,
      AUTH_JWT_JWKS_URL: `http://127.0.0.1:${port}/jwks`,
    });
    const token = await new SignJWT({ scope: 'edit' })
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .setIssuer(settings['AUTH_JWT_ISSUER'] ?? '')
      .setAudience(settings['AUTH_JWT_AUDIENCE'] ?? '')
      .setSubject('ann')
      .setExpirationTime('5m')
      .sign(privateKey);
    expect(await viewer({})).toMatchObject({ status: 401 });
    expect(await viewer({ authorization: `Bearer ${token}` })).toEqual({
      status: 200,
      viewer: { id: 'https://id.example.com/|ann', isAdmin: false },
    });
  });
});
