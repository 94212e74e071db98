import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startTestApp } from '../support/app.ts';
import { runCommandLine } from '../support/command-line.ts';
import { hasDatabase } from '../support/database.ts';
import { freePorts } from '../support/nginx.ts';

const ACCESS = await readFile(join(import.meta.dirname, '../../docs/access.md'), 'utf8');
const OTHER_ADDRESS = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
const SECRET_KEY = Buffer.from(Array.from({ length: 32 }, (_, i) => i * 5)).toString('base64');

/** The examples of a section of docs/access.md, word for word. */
function blocksOf(heading: string): readonly string[] {
  const [, section = ''] = ACCESS.split(`\n## ${heading}\n`);
  const [text = ''] = section.split('\n## ');
  return [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) => block);
}

/** The settings are the first of them. */
function settingsOf(heading: string): Record<string, string> {
  const [block = ''] = blocksOf(heading);
  const settings = parseEnv(block) as Record<string, string>;
  expect(Object.keys(settings).length, heading).toBeGreaterThan(1);
  return settings;
}

async function start(settings: Record<string, string>) {
  // Its own URL may be that of a proxy.
  const [port] = await freePorts(1);
  const app = await startTestApp({ SECRET_KEY, ...settings, PORT: String(port) });
  onTestFinished(() => app.stop());
  async function ask(headers: Record<string, string>, body: string, host = '127.0.0.1') {
    const response = await fetch(`http://${host}:${port}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });
    return { status: response.status, data: (await response.json()).data };
  }
  return {
    ask,
    /** A command of an operator of this service. */
    command(line: string) {
      const { dir, databaseUrl } = app;
      const env = { SECRET_KEY, ...settings, DATA_DIR: dir };
      const args = line.split(' ');
      return runCommandLine({ ...env, ...(databaseUrl && { DATABASE_URL: databaseUrl }) }, ...args);
    },
    async viewer(headers: Record<string, string>, host?: string) {
      const { status, data } = await ask(headers, '{"query":"{ viewer { id isAdmin } }"}', host);
      return { status, viewer: data?.viewer };
    },
  };
}

describe.runIf(hasDatabase)('the set-up of docs/access.md', () => {
  test('for apps with API keys serves other machines, and nobody without a key', async () => {
    const heading = 'Apps with API keys';
    const [, first = '', others = ''] = blocksOf(heading);
    const { viewer, ask, command } = await start(settingsOf(heading));
    expect(await viewer({})).toMatchObject({ status: 401 });
    expect(await viewer({ 'x-forwarded-user': 'ann' })).toMatchObject({ status: 401 });

    const [, line = ''] = /retouch -- ([^)]+)/.exec(first) ?? [];
    const { stdout: key } = await command(line);
    const admin = { authorization: `Bearer ${key.trim()}` };
    expect(await viewer(admin)).toEqual({ status: 200, viewer: { id: 'ops', isAdmin: true } });
    const [, body = ''] = /-d '(.+)'/.exec(others) ?? [];
    const { data } = await ask(admin, body);
    const shop = { authorization: `Bearer ${data.createApiKey.key}` };
    // Another address of this machine than that of the default.
    expect(await viewer(shop, OTHER_ADDRESS)).toEqual({
      status: 200,
      viewer: { id: 'shop', isAdmin: false },
    });
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
