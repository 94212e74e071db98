import type { IncomingMessage, RequestListener } from 'node:http';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { createModelListReader } from '../../../src/edits-api/models/model-list-reader.ts';
import type { OutboundProxies } from '../../../src/net/outbound-proxies.ts';
import { useSandbox } from '../../sandbox/support.ts';
import { startForwardProxy } from '../../support/forward-proxy.ts';
import { serve } from '../../support/http.ts';

const KEY = 'sk-secret-0123456789';
const NEVER = new AbortController().signal;
const BODY = JSON.stringify({ data: [{ id: 'm' }] });
const open = useSandbox();

function readerOf(url: string, more: { proxies?: OutboundProxies; timeoutMs?: number } = {}) {
  const reader = createModelListReader({ name: 'up', url, key: KEY, ...more });
  onTestFinished(() => reader.close());
  return reader;
}

async function readerOfServer(listener: RequestListener, more: { timeoutMs?: number } = {}) {
  const { url } = await serve(listener);
  return readerOf(`${url}/v1`, more);
}

test('the list of an upstream is read with its key, below its base URL', async () => {
  const seen: Pick<IncomingMessage, 'method' | 'url' | 'headers'>[] = [];
  const { url } = await serve((req, res) => {
    seen.push(req);
    res.end(BODY);
  });
  const models = await readerOf(`${url}/openai/v1/?api-version=1`).read(NEVER);
  expect(models).toMatchObject([{ id: 'm' }]);
  expect(seen).toMatchObject([
    {
      method: 'GET',
      url: '/openai/v1/models?api-version=1',
      headers: { authorization: `Bearer ${KEY}` },
    },
  ]);
});

test('the sandbox lists the catalogue, with the dates on which OpenAI shuts models down', async () => {
  const { url } = await open();
  const models = await readerOf(url).read(NEVER);
  expect(models).toContainEqual(
    expect.objectContaining({ id: 'gpt-image-1', ownedBy: 'system', shutdownDate: '2026-10-23' }),
  );
  expect(models).toContainEqual(expect.objectContaining({ id: 'gpt-image-2', shutdownDate: null }));
});

test('a list goes through the proxy', async () => {
  const { url } = await serve((_, res) => res.end(BODY));
  const proxy = await startForwardProxy();
  const proxies = { http: proxy.url, https: proxy.url, except: '' };
  expect(await readerOf(`${url}/v1`, { proxies }).read(NEVER)).toHaveLength(1);
  expect(proxy.asked).toEqual([`GET ${url}/v1/models`]);
});

test.each([301, 400, 401, 403, 404, 405])(
  'a server that responds with %i has no list',
  async (status) => {
    const reader = await readerOfServer((_, res) => {
      res.writeHead(status, { location: '/elsewhere' }).end(BODY);
    });
    expect(await reader.read(NEVER)).toBeNull();
  },
);

test('a server that responds with a web page, or with more than 4 MiB, has no list', async () => {
  const page = await readerOfServer((_, res) => res.end('<!doctype html><p>Welcome'));
  expect(await page.read(NEVER)).toBeNull();
  const padded = `${BODY.slice(0, -1)},"x":"${' '.repeat(4 * 1024 * 1024)}"}`;
  const huge = await readerOfServer((_, res) => res.end(padded));
  expect(await huge.read(NEVER)).toBeNull();
  const bomb = gzipSync(padded);
  const packed = await readerOfServer((_, res) => {
    res.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
  });
  expect(await packed.read(NEVER)).toBeNull();
});

test.each([407, 408, 425, 429, 500, 503])(
  'after a %i, whether there is a list is not known',
  async (status) => {
    const reader = await readerOfServer((_, res) => void res.writeHead(status).end('no'));
    await expect(reader.read(NEVER)).rejects.toThrow(`status ${status}`);
  },
);

test('after a lost connection or a cut response, whether there is a list is not known', async () => {
  const lost = await readerOfServer((req) => req.socket.destroy());
  await expect(lost.read(NEVER)).rejects.toThrow();
  const cut = await readerOfServer((_, res) => {
    res.writeHead(200, { 'content-length': 1_000 });
    res.write(BODY, () => res.destroy());
  });
  await expect(cut.read(NEVER)).rejects.toThrow('ended early');
});

test('a server that does not finish its response is left after a time', async () => {
  for (const begun of ['', '{"data":[']) {
    const reader = await readerOfServer(
      (_, res) => {
        res.writeHead(200);
        res.write(begun);
      },
      { timeoutMs: 50 },
    );
    await expect(reader.read(NEVER)).rejects.toThrow('no complete response after 50 ms');
  }
});

test('a reading ends when it is aborted', async () => {
  const aborting = new AbortController();
  const reader = await readerOfServer(() => aborting.abort());
  await expect(reader.read(aborting.signal)).rejects.toThrow();
});

test('an error does not contain the key', async () => {
  const reader = readerOf(`https://${KEY}.invalid/v1`);
  const error = await reader.read(NEVER).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(Error);
  expect(String(error)).not.toContain(KEY);
});
