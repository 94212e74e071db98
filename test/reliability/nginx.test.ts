import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createClient } from 'graphql-sse';
import { expect, inject, onTestFinished, test } from 'vitest';
import WebSocket from 'ws';
import { temporaryDirectory } from '../support/directory.ts';
import { createGraphqlClient } from '../support/graphql-client.ts';
import { send } from '../support/http.ts';
import { findNginx, freePorts, startNginx } from '../support/nginx.ts';
import { startService } from '../support/processes.ts';
import { noisePng } from '../support/test-images.ts';

const nginx = findNginx();
if (nginx === null) {
  process.stderr.write('\n!!! NO NGINX: the suites of a proxy in front are skipped. !!!\n\n');
}

/** The server that docs/proxies.md gives to readers, below a path that it strips or not. */
async function documentedSite(ports: { listen: number; service: number }, strips: boolean) {
  const docs = await readFile(resolve(import.meta.dirname, '../../docs/proxies.md'), 'utf8');
  const [site = ''] = [...docs.matchAll(/^```nginx\n(.*?)^```$/gms)].map(([, text]) => text);
  expect(site).toContain('proxy_pass http://127.0.0.1:4000;');
  return site
    .replace('listen 80;', `listen 127.0.0.1:${ports.listen};`)
    .replace('location / {', 'location /retouch/ {')
    .replace('127.0.0.1:4000;', `127.0.0.1:${ports.service}${strips ? '/' : ''};`);
}

// One database will do: a proxy sees no difference.
test.runIf(nginx !== null && inject('databaseKind') === 'pglite')(
  'nginx with the documented lines serves everything below a path, whether it strips that or not',
  async () => {
    const [keeps = 0, strips = 0, inside = 0] = await freePorts(3);
    const publicUrl = `http://127.0.0.1:${keeps}/retouch`;
    const dir = await temporaryDirectory();
    const service = await startService(
      {
        DATA_DIR: join(dir, 'data'),
        PORT: String(inside),
        PUBLIC_URL: publicUrl,
        TRUSTED_PROXIES: '127.0.0.1',
        SHUTDOWN_GRACE_SECONDS: '0',
        // An edit runs as long as it is looked at.
        SANDBOX_DELAY_MS: '600000',
      },
      ({ kill }) => onTestFinished(kill),
    );
    expect(service.url).toBe(publicUrl);
    const [map = '', ...sites] = [
      ...(await documentedSite({ listen: keeps, service: inside }, false)).split('\n\n'),
      ...(await documentedSite({ listen: strips, service: inside }, true)).split('\n\n').slice(1),
    ];
    await startNginx(nginx ?? '', [map, ...sites].join('\n'), keeps);

    for (const port of [keeps, strips]) {
      const url = `http://127.0.0.1:${port}/retouch`;
      const client = createGraphqlClient(() => url);
      await expectPageWithItsFiles(url);
      // More than nginx takes by default.
      const imageId = await client.uploadImage(await noisePng(3_000_000));
      await expectLinksThatWork(url, publicUrl, imageId);
      const { editJob } = await client.edit({
        images: [{ id: imageId }],
        prompt: 'a hat',
        wait: 0,
      });
      await expectStreamAtOnce(url, editJob.id);
      await expectWebSocket(url, new URL(publicUrl).origin);
    }
  },
);

async function expectPageWithItsFiles(base: string) {
  const redirect = await fetch(`${base}/`, { redirect: 'manual' });
  expect(redirect.headers.get('location')).toBe('/retouch/graphql');
  const page = await fetch(`${base}/`, { headers: { accept: 'text/html' } });
  expect(page.url).toBe(`${base}/graphql`);
  const paths = [...(await page.text()).matchAll(/(?:href|src)="([^"]+)"/g)].map(
    ([, path]) => path,
  );
  expect(paths.length).toBeGreaterThan(2);
  for (const path of paths) {
    const file = await fetch(new URL(path ?? '', page.url));
    expect([path, file.status]).toEqual([path, 200]);
    await file.body?.cancel();
  }
}

async function expectLinksThatWork(base: string, publicUrl: string, imageId: string) {
  const query = 'query ($id: ID!) { image(id: $id) { url thumbnailUrl } }';
  const answer = await send(`${base}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify({ query, variables: { id: imageId } })),
  });
  const { url, thumbnailUrl } = JSON.parse(answer.body.toString()).data.image;
  for (const link of [url, thumbnailUrl, `${publicUrl}/export/edits?format=csv`]) {
    expect(link.startsWith(`${publicUrl}/`)).toBe(true);
    expect((await send(link.replace(publicUrl, base))).status).toBe(200);
  }
  const schema = await send(`${base}/schema.graphql`, {
    headers: { 'accept-encoding': 'gzip' },
  });
  expect(schema.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
}

/** The first event of a stream that stays open: a proxy that collects it would hold it back. */
async function expectStreamAtOnce(base: string, id: string) {
  const client = createClient({
    url: `${base}/graphql`,
    headers: { 'apollo-require-preflight': 'true' },
  });
  const query = 'subscription ($id: ID!) { editJob(id: $id) { __typename } }';
  const events = client.iterate({ query, variables: { id } });
  const { value } = await events.next();
  expect(value).toMatchObject({ data: { editJob: { __typename: expect.any(String) } } });
  await events.return?.();
  client.dispose();
}

async function expectWebSocket(base: string, origin: string) {
  const socket = new WebSocket(`${base}/graphql`.replace('http:', 'ws:'), 'graphql-transport-ws', {
    origin,
  });
  await once(socket, 'open');
  const [acknowledged] = await Promise.all([
    once(socket, 'message'),
    socket.send(JSON.stringify({ type: 'connection_init' })),
  ]);
  expect(String(acknowledged[0])).toContain('connection_ack');
  socket.close();
  await once(socket, 'close');
}
