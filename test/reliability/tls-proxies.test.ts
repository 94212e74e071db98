import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';
import { expect, inject, onTestFinished, test } from 'vitest';
import WebSocket from 'ws';
import { startCaddy } from '../support/caddy.ts';
import { trustedCertificate } from '../support/certificate.ts';
import { runCommandLine } from '../support/command-line.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { findProgram } from '../support/find-program.ts';
import { createGraphqlClient } from '../support/graphql-client.ts';
import { findNginx, freePorts, startNginx } from '../support/nginx.ts';
import { ROOT } from '../support/overlays.ts';
import { startService } from '../support/processes.ts';
import { noisePng, png } from '../support/test-images.ts';

const openssl = findProgram('openssl');
const read = (path: string) => readFile(join(ROOT, 'deploy', path), 'utf8');
const SUBSCRIPTION = 'subscription ($id: ID!) { editJob(id: $id) { editJob { status } } }';

interface Ports {
  /** Of the proxy: https, and http for what redirects. */
  readonly https: number;
  readonly http: number;
  readonly service: number;
  /** Of what authenticates people; null: nobody does. */
  readonly users: number | null;
}

interface Front {
  readonly name: string;
  readonly program: string | null;
  start(ports: Ports, tls: { cert: string; key: string }): Promise<void>;
}

/** Replaces each, which must be there. */
function adapt(text: string, changes: readonly (readonly [string, string])[]): string {
  for (const [from] of changes) expect(text).toContain(from);
  return changes.reduce((all, [from, to]) => all.replaceAll(from, to), text);
}

const NGINX: Front = {
  name: 'nginx',
  program: findNginx(),
  async start({ https, http, service, users }, { cert, key }) {
    const included = join(await temporaryDirectory(), 'retouch-users.conf');
    if (users !== null) {
      const file = await read('nginx/retouch-users.conf');
      await writeFile(included, adapt(file, [['127.0.0.1:4180', `127.0.0.1:${users}`]]));
    }
    const sites = adapt(await read('nginx/retouch.conf'), [
      ['listen 80;', `listen 127.0.0.1:${http};`],
      ['listen 443 ssl', `listen 127.0.0.1:${https} ssl`],
      ['server_name retouch.example.com', 'server_name localhost'],
      ['/etc/letsencrypt/live/retouch.example.com/fullchain.pem', cert],
      ['/etc/letsencrypt/live/retouch.example.com/privkey.pem', key],
      ['/etc/nginx/retouch-users*.conf', `${included}*`],
      ['127.0.0.1:4000', `127.0.0.1:${service}`],
    ]);
    await startNginx(this.program ?? '', sites, http);
    const plain = await fetch(`http://127.0.0.1:${http}/graphql?x=1`, { redirect: 'manual' });
    expect(plain.headers.get('location')).toBe('https://127.0.0.1/graphql?x=1');
  },
};

const CADDY: Front = {
  name: 'Caddy',
  program: findProgram('caddy'),
  async start({ https, service, users }, { cert, key }) {
    const [common = '', own = ''] = (await read('caddy/Caddyfile')).split(/^(?=retouch\.example)/m);
    const site = users === null ? own : await read('caddy/Caddyfile.users');
    const sites = adapt(`${common}${site}`, [
      ['retouch.example.com {', `https://localhost:${https} {\n\ttls ${cert} ${key}`],
      ['127.0.0.1:4000', `127.0.0.1:${service}`],
      ...(users === null ? [] : ([['127.0.0.1:4180', `127.0.0.1:${users}`]] as const)),
    ]);
    await startCaddy(this.program ?? '', sites, `https://localhost:${https}`);
  },
};

/** The service behind a proxy that is to listen at `ports`, with the key of an owner. */
async function startBehind(ports: Ports) {
  const url = `https://localhost:${ports.https}`;
  const env = {
    DATA_DIR: join(await temporaryDirectory(), 'data'),
    PORT: String(ports.service),
    PUBLIC_URL: url,
    TRUSTED_PROXIES: '127.0.0.1',
    AUTH_API_KEYS: 'true',
    AUTH_HEADER: 'x-forwarded-user',
    SANDBOX_DELAY_MS: '1500',
    SHUTDOWN_GRACE_SECONDS: '0',
  };
  await startService(env, ({ kill }) => onTestFinished(kill));
  const { stdout } = await runCommandLine(
    env,
    'keys',
    'create',
    '--owner',
    'shop',
    '--scope',
    'edit',
  );
  return { url, authorization: `Bearer ${stdout.trim()}` };
}

async function portsOf(users: number | null): Promise<Ports> {
  const [https = 0, http = 0, service = 0] = await freePorts(3);
  return { https, http, service, users };
}

for (const front of [NGINX, CADDY]) {
  const isPossible = front.program !== null && openssl !== null;
  if (!isPossible) {
    process.stderr.write(
      `\n!!! NO ${front.name} OR OPENSSL: deploy/ is not tried with it. !!!\n\n`,
    );
  }
  // One database will do: a proxy sees no difference.
  const isRun = isPossible && inject('databaseKind') === 'pglite';

  test.runIf(isRun)(
    `${front.name} forwards uploads, waits, streams, sockets and images`,
    async () => {
      const ports = await portsOf(null);
      const tls = await trustedCertificate(openssl ?? '');
      const { url, authorization } = await startBehind(ports);
      await front.start(ports, tls);
      const client = createGraphqlClient(() => url, { authorization });

      const large = await noisePng(25_000_000);
      const imageId = await client.uploadImage(large);
      const { editJob } = await client.edit({ images: [{ id: imageId }], prompt: 'a', wait: 60 });
      expect(editJob.status).toBe('SUCCEEDED');
      const { url: link } = editJob.outputImages[0];
      expect(link.startsWith(`${url}/images/`)).toBe(true);
      const part = await fetch(link, { headers: { range: 'bytes=0-9', authorization } });
      expect([part.status, (await part.bytes()).length]).toEqual([206, 10]);

      const submit = async () =>
        (await client.edit({ images: [{ id: imageId }], prompt: 'b', wait: 0 })).editJob.id;
      const sse = createSseClient({ url: `${url}/graphql`, headers: { authorization } });
      const overSse = { query: SUBSCRIPTION, variables: { id: await submit() } };
      await expectEventsAsTheyHappen(sse.iterate(overSse));
      sse.dispose();
      const ws = createWsClient({
        url: `${url.replace('https:', 'wss:')}/graphql`,
        webSocketImpl: WebSocket,
        connectionParams: { authorization },
      });
      const overWs = { query: SUBSCRIPTION, variables: { id: await submit() } };
      await expectEventsAsTheyHappen(ws.iterate(overWs));
      await ws.dispose();
      await expectStreamOfOpenai(url, authorization);
    },
  );

  test.runIf(isRun)(`${front.name} shows no metrics, and lets nobody name a user`, async () => {
    const ports = await portsOf(null);
    const tls = await trustedCertificate(openssl ?? '');
    const { url } = await startBehind(ports);
    await front.start(ports, tls);
    // The service would return 401.
    expect((await fetch(`${url}/metrics`)).status).toBe(404);
    for (const name of ['x-forwarded-user', 'X-Forwarded-User']) {
      expect((await viewer(url, { [name]: 'ann' })).status).toBe(401);
    }
    const direct = await viewer(`http://127.0.0.1:${ports.service}`, { 'x-forwarded-user': 'ann' });
    expect(direct.id).toBe('ann');
  });

  test.runIf(isRun)(
    `${front.name} names the users whom it authenticates, and no others`,
    async () => {
      const ports = await portsOf(await startSignIn());
      const tls = await trustedCertificate(openssl ?? '');
      const { url } = await startBehind(ports);
      await front.start(ports, tls);
      const asAnn = { cookie: 'user=ann', 'x-forwarded-user': 'bob' };
      expect(await viewer(url, asAnn)).toEqual({ status: 200, id: 'ann' });
      expect((await viewer(url, { 'x-forwarded-user': 'bob' })).status).toBe(401);
      const page = await fetch(`${url}/graphql`, {
        headers: { accept: 'text/html' },
        redirect: 'manual',
      });
      expect(page.status).toBe(302);
      expect(new URL(page.headers.get('location') ?? '', url).pathname).toBe('/oauth2/sign_in');
      expect(await (await fetch(`${url}/oauth2/sign_in`)).text()).toBe('sign in');
    },
  );
}

/** What oauth2-proxy does with --set-xauthrequest: a cookie names the user. */
async function startSignIn(): Promise<number> {
  const server = createServer((req, res) => {
    if (req.url !== '/oauth2/auth') return res.end('sign in');
    const [, user] = /user=(\w+)/.exec(req.headers.cookie ?? '') ?? [];
    return res.writeHead(user ? 202 : 401, user ? { 'X-Auth-Request-User': user } : {}).end();
  });
  const [port = 0] = await freePorts(1);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return port;
}

async function viewer(url: string, headers: Record<string, string>) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: '{"query":"{ viewer { id } }"}',
  });
  const text = await response.text();
  return { status: response.status, id: response.ok ? JSON.parse(text).data.viewer.id : null };
}

/** The first event comes while the edit runs: a proxy that collects them would hold it back. */
async function expectEventsAsTheyHappen(events: AsyncIterable<unknown>) {
  const statuses: string[] = [];
  for await (const event of events)
    statuses.push(...(JSON.stringify(event).match(/[A-Z_]{6,}/g) ?? []));
  expect(['QUEUED', 'RUNNING']).toContain(statuses[0]);
  expect(statuses.at(-1)).toBe('SUCCEEDED');
}

async function expectStreamOfOpenai(url: string, authorization: string) {
  const body = new FormData();
  body.set('image', new Blob([new Uint8Array(await png())]), 'a.png');
  body.set('prompt', 'c');
  body.set('stream', 'true');
  body.set('partial_images', '1');
  const init = { method: 'POST', headers: { authorization }, body };
  const response = await fetch(`${url}/v1/images/edits`, init);
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  const stream = (await response.text()).matchAll(/^event: (.+)$/gm);
  expect([...stream].map(([, type]) => type)).toEqual([
    'image_edit.partial_image',
    'image_edit.completed',
  ]);
}
