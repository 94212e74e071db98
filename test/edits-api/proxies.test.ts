import { buffer } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { createAddressGuard } from '../../src/net/address-guard.ts';
import { NO_PROXIES, type OutboundProxies } from '../../src/net/outbound-proxies.ts';
import { createSandbox } from '../../src/sandbox/sandbox.ts';
import { type ForwardProxy, startForwardProxy } from '../support/forward-proxy.ts';
import { serve } from '../support/http.ts';
import { png } from '../support/test-images.ts';
import { clientOf, clientOfServer, failureOf, fileOf } from './client-support.ts';

function through({ url }: ForwardProxy, more: Partial<OutboundProxies> = {}): OutboundProxies {
  return { http: url, https: url, except: '', ...more };
}

async function upstream() {
  const sandbox = createSandbox({ delayMs: 0 });
  onTestFinished(() => sandbox.stop());
  return { sandbox, url: (await sandbox.start()).url };
}

const images = async () => ({ images: [fileOf(await png())] });

test('an edit goes through the proxy, once', async () => {
  const proxy = await startForwardProxy();
  const { sandbox, url } = await upstream();
  const { edit } = await clientOf({ url, proxies: through(proxy) });
  expect((await edit(await images())).images).toHaveLength(1);
  expect(proxy.asked).toEqual([`POST ${url}/images/edits`]);
  expect(sandbox.stats().paid).toBe(1);
});

test('an edit goes around the proxy where the host is excepted', async () => {
  const proxy = await startForwardProxy();
  const { url } = await upstream();
  for (const except of ['127.0.0.1', `example.com, ${new URL(url).host}`, '*']) {
    const { edit } = await clientOf({ url, proxies: through(proxy, { except }) });
    expect((await edit(await images())).images).toHaveLength(1);
  }
  expect(proxy.asked).toEqual([]);
});

test('a proxy gets the name and password that its URL has', async () => {
  const proxy = await startForwardProxy();
  const { url } = await upstream();
  const withPassword = proxy.url.replace('://', '://me:p%40ss@');
  const { edit } = await clientOf({ url, proxies: { ...NO_PROXIES, http: withPassword } });
  await edit(await images());
  expect(proxy.credentials).toEqual([`Basic ${Buffer.from('me:p@ss').toString('base64')}`]);
});

test.each(['http', 'https'])(
  'a proxy that wants other credentials passes no edit on: it is not processed (%s)',
  async (scheme) => {
    const proxy = await startForwardProxy({ status: 407 });
    const url = `${scheme}://edits.example/v1`;
    const { edit } = await clientOf({ url, proxies: through(proxy) });
    await expect(edit()).rejects.toMatchObject({
      code: 'UNREACHABLE',
      outcome: 'not_processed',
      message: expect.stringMatching(/HTTPS_PROXY or HTTP_PROXY.* status 407/),
    });
    expect(proxy.asked).toEqual([
      scheme === 'http' ? `POST ${url}/images/edits` : 'CONNECT edits.example:443',
    ]);
  },
);

test('a proxy that cannot be reached has processed nothing', async () => {
  const { goDown, url } = await serve(() => {});
  await goDown();
  for (const scheme of ['http', 'https']) {
    const proxies = { http: url, https: url, except: '' };
    const { edit } = await clientOf({ url: `${scheme}://edits.example/v1`, proxies });
    await expect(edit()).rejects.toMatchObject({
      code: 'UNREACHABLE',
      outcome: 'not_processed',
    });
  }
});

test('the query of a base URL stays behind the path', async () => {
  const paths: (string | undefined)[] = [];
  const { url } = await serve(async (req, res) => {
    paths.push(req.url);
    await buffer(req);
    res.writeHead(404).end();
  });
  const { edit } = await clientOf({ url: `${url}/openai/deployments/d/?api-version=1` });
  await expect(edit()).rejects.toMatchObject({ httpStatus: 404 });
  expect(paths).toEqual(['/openai/deployments/d/images/edits?api-version=1']);
});

/** A guard behind a proxy, names as they resolve on this machine, and what the proxy was asked. */
async function guarded(names: Readonly<Record<string, string>> = {}) {
  const { port } = await serve((_, res) => res.end('outside'));
  const proxy = await startForwardProxy({
    resolve: { 'only.proxy.example': port, '192.0.2.9': port },
  });
  const guard = createAddressGuard({
    proxies: through(proxy),
    allow: (host) => host === 'allowed.example',
    lookup: (name, _, callback) => {
      const address = names[name];
      if (address === undefined) callback(Object.assign(new Error(), { code: 'ENOTFOUND' }), []);
      else callback(null, [{ address, family: 4 }]);
    },
  });
  onTestFinished(() => guard.close());
  const get = (origin: string) => guard.request({ origin, path: '/', method: 'GET' });
  return { proxy, get };
}

test.each([
  'http://127.0.0.1:80',
  'http://10.1.2.3',
  'http://169.254.169.254',
  'http://2130706433',
  'http://[::1]',
  'http://[::ffff:127.0.0.1]',
  'https://192.168.1.4',
  'http://inner.example',
  'https://inner.example',
])('behind a proxy, no request to an inner address leaves this service: %s', async (origin) => {
  const { proxy, get } = await guarded({ 'inner.example': '10.0.0.7' });
  await expect(get(origin)).rejects.toMatchObject({ code: 'ADDRESS_REFUSED' });
  expect(proxy.asked).toEqual([]);
});

test('behind a proxy, a name that does not resolve here is left to the proxy', async () => {
  const { proxy, get } = await guarded();
  const { body } = await get('http://only.proxy.example');
  expect(await body.text()).toBe('outside');
  expect(proxy.asked).toEqual(['GET http://only.proxy.example/']);
});

test('behind a proxy, an allowed host may be anywhere', async () => {
  const { proxy, get } = await guarded({ 'allowed.example': '10.0.0.7' });
  await get('https://allowed.example').catch(() => undefined);
  expect(proxy.asked).toEqual(['CONNECT allowed.example:443']);
});

test('an image that an answer points at is fetched through the proxy, and no inner one is', async () => {
  const { port } = await serve((_, res) => res.end(image));
  const image = await png();
  const proxy = await startForwardProxy({ resolve: { 'cdn.example': port } });
  for (const [link, fetched] of [
    ['http://cdn.example/1.png', true],
    ['http://10.0.0.7/1.png', false],
  ] as const) {
    const { edit } = await clientOfServer(
      async (req, res) => {
        await buffer(req);
        res.writeHead(200, { 'content-type': 'application/json' });
        res.end(JSON.stringify({ created: 1, data: [{ url: link }] }));
      },
      { proxies: through(proxy, { except: '127.0.0.1' }) },
    );
    if (fetched) expect((await edit()).images).toHaveLength(1);
    else await failureOf(edit());
  }
  expect(proxy.asked).toEqual(['GET http://cdn.example/1.png']);
});
