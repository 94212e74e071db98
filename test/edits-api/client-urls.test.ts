import { readFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { beforeAll, describe, expect, it } from 'vitest';
import { serve } from '../support/http.ts';
import { png } from '../support/test-images.ts';
import { clientOfServer, failureOf } from './client-support.ts';

let image: Buffer;
beforeAll(async () => {
  image = await png();
});

const broken = { code: 'BROKEN_ANSWER', outcome: 'unknown', httpStatus: 200 };

/** An edits API that answers with these URLs and serves the images itself. */
async function clientOfUrls(urls: (base: string) => unknown[], options = {}) {
  const seen: (string | undefined)[] = [];
  const headers: unknown[] = [];
  const client = await clientOfServer(async (req, res) => {
    await buffer(req);
    seen.push(req.url);
    headers.push(req.headers.authorization);
    const base = `http://${req.headers.host}`;
    if (req.method === 'POST') res.end(JSON.stringify({ data: urls(base) }));
    else if (req.url === '/missing.png') res.writeHead(404).end('no such image');
    else if (req.url === '/page.png') res.end('<html>');
    else if (req.url === '/half.png') res.end(image.subarray(0, -20));
    else if (req.url === '/empty.png') res.end();
    else if (req.url === '/cut.png') {
      res.writeHead(200, { 'content-length': 1000 });
      res.write(image.subarray(0, 20), () => req.socket.destroy());
    } else if (req.url?.startsWith('/hop/')) {
      const left = Number(req.url.slice('/hop/'.length));
      res.writeHead(302, { location: left > 1 ? `/hop/${left - 1}` : '/image.png' }).end();
    } else res.end(image);
  }, options);
  return { ...client, seen, headers };
}

describe('images that an answer only points at', () => {
  it('are fetched and staged in their places, without the key', async () => {
    const other = await png(8, 8);
    const b64_json = other.toString('base64');
    const { edit, headers } = await clientOfUrls((base) => [
      { url: `${base}/image.png` },
      { b64_json },
      { url: '/image.png' },
    ]);
    const { images, body } = await edit();

    const contents = await Promise.all(images.map(({ staged }) => readFile(staged.path)));
    expect(contents.map(({ length }) => length)).toEqual([
      image.length,
      other.length,
      image.length,
    ]);
    expect(body['data']).toEqual([{ url: expect.any(String) }, {}, { url: '/image.png' }]);
    expect(headers.slice(1)).toEqual([undefined, undefined]);
  });

  it('are fetched through three redirects, not four', async () => {
    const three = await clientOfUrls((base) => [{ url: `${base}/hop/3` }]);
    expect((await three.edit()).images).toHaveLength(1);

    const four = await clientOfUrls((base) => [{ url: `${base}/hop/4` }]);
    const error = await failureOf(four.edit());
    expect(error).toMatchObject(broken);
    expect(error.message).toContain('redirects more than 3 times');
    expect(await four.stagedFiles()).toEqual([]);
  });

  it.each([
    ['is missing', '/missing.png', 'answered 404'],
    ['is a page', '/page.png', 'is an HTML document'],
    ['is cut', '/cut.png', 'The connection failed'],
    ['is half an image', '/half.png', 'not a valid PNG'],
    ['is empty', '/empty.png', 'empty'],
    ['is a file', 'file:///etc/passwd', 'not one of http or https'],
    ['is no URL', 'http://', 'not one of http or https'],
    ['is on this machine', 'http://127.0.0.1:1/x.png', 'not a public address'],
    ['is on the metadata service', 'http://169.254.169.254/latest', 'not a public address'],
    ['is on localhost', 'http://localhost:1/x.png', 'not a public address'],
  ])(
    'make the answer broken when the only one %s, and do not matter to others',
    async (_, url, reason) => {
      const { edit, stagedFiles, rawAnswer } = await clientOfUrls(() => [{ url }]);
      const error = await failureOf(edit());
      expect(error).toMatchObject(broken);
      expect(error.message).toContain(reason);
      expect(await stagedFiles()).toEqual([]);
      expect((await rawAnswer()).toString()).toContain(url);

      const beside = await clientOfUrls(() => [{ url }, { url: '/image.png' }]);
      const { images } = await beside.edit();
      expect(images.map(({ staged }) => staged.bytes)).toEqual([image.length]);
      expect((await beside.stagedFiles()).length).toBe(1);
    },
  );

  it('make the answer broken when one is too large', async () => {
    const options = { maxImageBytes: image.length - 1 };
    const { edit, stagedFiles } = await clientOfUrls(() => [{ url: '/image.png' }], options);

    expect((await failureOf(edit())).message).toContain(`more than ${image.length - 1} bytes`);
    expect(await stagedFiles()).toEqual([]);
  });

  it('are not fetched from an inner address behind a redirect', async () => {
    let inside = 0;
    const inner = await serve((_, res) => {
      inside += 1;
      res.end(image);
    });
    const { edit } = await clientOfServer(async (req, res) => {
      await buffer(req);
      if (req.method === 'POST') res.end('{"data":[{"url":"/image.png"}]}');
      else res.writeHead(302, { location: inner.url }).end();
    });

    expect((await failureOf(edit())).message).toContain('127.0.0.1 is not allowed');
    expect(inside).toBe(0);
  });

  it.each<[string, RequestListener]>([
    ['503', (_, res) => res.writeHead(503).end()],
    ['429 with Retry-After', (_, res) => res.writeHead(429, { 'retry-after': '0' }).end()],
    ['404, as before an object is there', (_, res) => res.writeHead(404).end()],
    ['403, as before an object is there', (_, res) => res.writeHead(403).end('<Error/>')],
    ['500', (_, res) => res.writeHead(500).end('oops')],
    ['an empty 202', (_, res) => res.writeHead(202).end()],
    ['a page', (_, res) => res.end('<html>in a moment</html>')],
    ['nothing', (_, res) => res.end()],
    ['a reset', (req) => req.socket.resetAndDestroy()],
    ['a closed connection', (req) => req.socket.destroy()],
    ['half an image', (_, res) => res.end(image.subarray(0, -20))],
    [
      'a cut body',
      (req, res) => {
        res.writeHead(200, { 'content-length': image.length });
        res.write(image.subarray(0, 50), () => req.socket.destroy());
      },
    ],
  ])('are tried again after %s, with one POST', async (_, fail) => {
    let posts = 0;
    let gets = 0;
    const patience = { totalMs: 30_000, firstDelayMs: 1 };
    const { edit, stagedFiles } = await clientOfServer(
      async (req, res) => {
        await buffer(req);
        if (req.method === 'POST') {
          posts += 1;
          res.end('{"data":[{"url":"/image.png","b64_json":""}]}');
        } else if (++gets <= 3) fail(req, res);
        else res.end(image);
      },
      { patience },
    );
    const { images } = await edit();
    expect(await readFile(images[0]?.staged.path ?? '')).toEqual(image);
    expect({ posts, gets }).toEqual({ posts: 1, gets: 4 });
    expect((await stagedFiles()).length).toBe(1);
  });

  it('are not tried again after an answer that is final', async () => {
    let gets = 0;
    const { edit } = await clientOfServer(
      async (req, res) => {
        await buffer(req);
        if (req.method === 'POST') res.end('{"data":[{"url":"/image.png"}]}');
        else {
          gets += 1;
          res.writeHead(410).end();
        }
      },
      { patience: { totalMs: 60 * 60_000, firstDelayMs: 60 * 60_000 } },
    );
    expect((await failureOf(edit())).message).toContain('answered 410');
    expect(gets).toBe(1);
  });

  it('are fetched beyond the deadline of the answer, which came whole', async () => {
    const late = Promise.withResolvers<void>();
    let isReceived = false;
    const { edit } = await clientOfServer(
      async (req, res) => {
        await buffer(req);
        if (req.method === 'POST') return res.end('{"data":[{"url":"/image.png"}]}');
        await late.promise;
        res.end(image);
      },
      { patience: { totalMs: 30_000 } },
    );
    const timeoutMs = 2_000;
    const onReceived = () => {
      isReceived = true;
      setTimeout(() => late.resolve(), timeoutMs);
    };
    expect((await edit({}, { timeoutMs, onReceived })).images).toHaveLength(1);
    expect(isReceived).toBe(true);
  });

  it('are not waited for any more after an abort, and can be fetched from the kept answer', async () => {
    const controller = new AbortController();
    let isThere = false;
    const { edit, readAgain, stagedFiles } = await clientOfServer(
      async (req, res) => {
        await buffer(req);
        if (req.method === 'POST') res.end('{"data":[{"url":"/image.png"}]}');
        else if (isThere) res.end(image);
        else res.writeHead(503).end('', () => controller.abort());
      },
      { patience: { totalMs: 60 * 60_000, firstDelayMs: 60 * 60_000 } },
    );
    expect(await failureOf(edit({}, { signal: controller.signal }))).toMatchObject({
      code: 'ABORTED',
      outcome: 'unknown',
    });
    expect(await stagedFiles()).toEqual([]);
    isThere = true;
    expect((await readAgain()).images).toHaveLength(1);
  });

  it('are fetched from an answer that was cut behind them', async () => {
    const { edit } = await clientOfServer(async (req, res) => {
      await buffer(req);
      if (req.method === 'POST') res.end('{"data":[{"url":"/image.png"},{"url":"/pict');
      else res.end(image);
    });
    expect((await edit()).images).toHaveLength(1);
  });
});
