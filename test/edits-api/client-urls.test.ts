import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { beforeAll, describe, expect, it } from 'vitest';
import { serve } from '../support/http.ts';
import { png } from '../support/pictures.ts';
import { clientOfAnswer, clientOfServer, failureOf } from './client-support.ts';

let picture: Buffer;
beforeAll(async () => {
  picture = await png();
});

const broken = { code: 'BROKEN_ANSWER', outcome: 'unknown', httpStatus: 200 };

/** An edits API that answers with these URLs and serves the pictures itself. */
async function clientOfUrls(urls: (base: string) => unknown[], options = {}) {
  const seen: (string | undefined)[] = [];
  const headers: unknown[] = [];
  const client = await clientOfServer(async (req, res) => {
    await buffer(req);
    seen.push(req.url);
    headers.push(req.headers.authorization);
    const base = `http://${req.headers.host}`;
    if (req.method === 'POST') res.end(JSON.stringify({ data: urls(base) }));
    else if (req.url === '/missing.png') res.writeHead(404).end('no such picture');
    else if (req.url === '/page.png') res.end('<html>');
    else if (req.url === '/cut.png') {
      res.writeHead(200, { 'content-length': 1000 });
      res.write(picture.subarray(0, 20), () => req.socket.destroy());
    } else if (req.url?.startsWith('/hop/')) {
      const left = Number(req.url.slice('/hop/'.length));
      res.writeHead(302, { location: left > 1 ? `/hop/${left - 1}` : '/picture.png' }).end();
    } else res.end(picture);
  }, options);
  return { ...client, seen, headers };
}

describe('pictures that an answer only points at', () => {
  it('are fetched and staged in their places, without the key', async () => {
    const b64_json = Buffer.from('89504e470d0a1a0a', 'hex').toString('base64');
    const { edit, headers } = await clientOfUrls((base) => [
      { url: `${base}/picture.png` },
      { b64_json },
      { url: '/picture.png' },
    ]);
    const { images, body } = await edit();

    const contents = await Promise.all(images.map(({ staged }) => readFile(staged.path)));
    expect(contents.map(({ length }) => length)).toEqual([picture.length, 8, picture.length]);
    expect(body['data']).toEqual([{ url: expect.any(String) }, {}, { url: '/picture.png' }]);
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
    ['is a file', 'file:///etc/passwd', 'not one of http or https'],
    ['is no URL', 'http://', 'not one of http or https'],
    ['is on this machine', 'http://127.0.0.1:1/x.png', 'not a public address'],
    ['is on the metadata service', 'http://169.254.169.254/latest', 'not a public address'],
    ['is on localhost', 'http://localhost:1/x.png', 'not a public address'],
  ])('make the answer broken when one %s, and none is kept', async (_, url, reason) => {
    const { edit, stagedFiles, rawAnswer } = await clientOfUrls(() => [
      { url: '/picture.png' },
      { url },
    ]);
    const error = await failureOf(edit());

    expect(error).toMatchObject(broken);
    expect(error.message).toContain(reason);
    expect(await stagedFiles()).toEqual([]);
    expect((await rawAnswer()).toString()).toContain(url);
  });

  it('make the answer broken when one is too large', async () => {
    const options = { maxImageBytes: picture.length - 1 };
    const { edit, stagedFiles } = await clientOfUrls(() => [{ url: '/picture.png' }], options);

    expect((await failureOf(edit())).message).toContain(`more than ${picture.length - 1} bytes`);
    expect(await stagedFiles()).toEqual([]);
  });

  it('are not fetched from an inner address behind a redirect', async () => {
    let inside = 0;
    const inner = await serve((_, res) => {
      inside += 1;
      res.end(picture);
    });
    const { edit } = await clientOfServer(async (req, res) => {
      await buffer(req);
      if (req.method === 'POST') res.end('{"data":[{"url":"/picture.png"}]}');
      else res.writeHead(302, { location: inner.url }).end();
    });

    expect((await failureOf(edit())).message).toContain('127.0.0.1 is refused');
    expect(inside).toBe(0);
  });

  it('are given up at the deadline', async () => {
    const { edit, stagedFiles } = await clientOfServer(async (req, res) => {
      await buffer(req);
      if (req.method === 'POST') res.end('{"data":[{"url":"/picture.png"}]}');
      else res.write(picture.subarray(0, 20));
    });

    expect(await failureOf(edit({}, { timeoutMs: 300 }))).toMatchObject({
      code: 'TIMEOUT',
      outcome: 'unknown',
    });
    expect(await stagedFiles()).toEqual([]);
  });

  it('are not fetched at all from an answer that is broken', async () => {
    const { edit } = await clientOfAnswer('{"data":[{"url":"http://a.example/x.png"}]');
    expect((await failureOf(edit())).message).toContain('not a whole JSON document');
  });
});
