import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createOpenImageUrl } from '../../../../src/http/openai/receive/image-urls.ts';
import { createAddressGuard } from '../../../../src/net/address-guard.ts';
import { eventually } from '../../../support/eventually.ts';
import { send, serve } from '../../../support/http.ts';
import { noisePng, png } from '../../../support/test-images.ts';
import { receiveServer, UNKNOWN_ID } from './receive-server.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Redirects `/n` to `/n-1`, and serves the image at `/0`. */
const redirecting =
  (image: Buffer): RequestListener =>
  (req, res) => {
    const left = Number(req.url?.slice(1, 2));
    if (left === 0) return void res.end(image);
    res.writeHead(302, { location: `/${left - 1}` }).end('moved');
  };

async function linking(listener: RequestListener) {
  const asked: string[] = [];
  const web = await serve((req, res) => {
    asked.push(req.url ?? '');
    listener(req, res);
  });
  return { url: web.url, host: new URL(web.url).host, asked };
}

describe('linked images', () => {
  test('are downloaded, in their order among the others', async () => {
    const files = await Promise.all(Array.from({ length: 6 }, (_, index) => png(8 + index, 8)));
    const web = await linking((req, res) => res.end(files[Number(req.url?.slice(1, 2))]));
    const server = await receiveServer();
    const link = (index: number) => ({ image_url: `${web.url}/${index}?sig=secret` });
    const { images, mask } = await server.json({
      images: [0, 1, 2, 3, 4].map((index) =>
        index === 2 ? { image_url: `data:;base64,${files[2]?.toString('base64')}` } : link(index),
      ),
      mask: link(5),
    });
    expect([...images, mask].map((image) => image?.sha256)).toEqual(files.map(sha256));
    expect(await server.stagedFiles()).toEqual([]);
  });

  test('may be three redirects away, not four', async () => {
    const image = await png();
    const web = await linking(redirecting(image));
    const server = await receiveServer();
    const { images } = await server.json({ images: [{ image_url: `${web.url}/3` }] });
    expect(images).toMatchObject([{ sha256: sha256(image) }]);
    const { problems } = await server.json({ images: [{ image_url: `${web.url}/4` }] });
    expect(problems[0]?.message).toBe(
      `images[0].image_url could not be downloaded: ${web.host} redirects more than 3 times.`,
    );
  });

  test.each<[string, RequestListener, string]>([
    ['an error', (_, res) => res.writeHead(403).end('no'), 'answered 403'],
    ['a page', (_, res) => res.end('<html>'), 'PNG, JPEG'],
    ['a closed connection', (req) => req.socket.destroy(), 'the connection failed'],
    [
      'a body that is cut off',
      (req, res) => {
        res.writeHead(200, { 'content-length': 5_000 });
        res.write('\x89PNG', 'latin1', () => req.socket.destroy());
      },
      'the connection failed',
    ],
    [
      'another scheme behind a redirect',
      (_, res) => res.writeHead(302, { location: 'file:///etc/passwd' }).end(),
      'http or https',
    ],
    [
      'a compressed body',
      (_, res) => res.writeHead(200, { 'content-encoding': 'gzip' }).end('x'),
      'compressed',
    ],
  ])('are refused with the reason, without their query: %s', async (_, listener, reason) => {
    const web = await linking(listener);
    const server = await receiveServer();
    const { status, problems } = await server.json({
      images: [{ image_url: `${web.url}/a.png?sig=secret` }],
    });
    expect(status).toBe(400);
    expect(problems).toMatchObject([{ field: 'images[0].image_url' }]);
    expect(problems[0]?.message).toContain(reason);
    expect(problems[0]?.message).not.toContain('secret');
    expect(await server.stagedFiles()).toEqual([]);
  });

  test.each([
    [
      'declared',
      (image: Buffer): RequestListener =>
        (_, res) =>
          res.writeHead(200, { 'content-length': image.length }).flushHeaders(),
    ],
    [
      'not declared',
      (image: Buffer): RequestListener =>
        (_, res) => {
          res.write(image.subarray(0, 1_000));
          res.end(image.subarray(1_000));
        },
    ],
    [
      'endless',
      (image: Buffer): RequestListener =>
        (_, res) => {
          res.write(image);
          const more = () => {
            while (!res.destroyed && res.write(Buffer.alloc(16_384)));
          };
          res.on('drain', more);
          more();
        },
    ],
  ])('may have no more bytes than the limit: %s', async (_, listener) => {
    const image = await noisePng(150_001);
    const closed: Promise<unknown>[] = [];
    const web = await linking((req, res) => {
      closed.push(once(res, 'close'));
      listener(image)(req, res);
    });
    const server = await receiveServer({ maxFileBytes: 150_000 });
    const { problems } = await server.json({ images: [{ image_url: web.url }] });
    expect(problems).toMatchObject([{ field: 'images[0].image_url', code: 'TOO_LARGE' }]);
    await Promise.all(closed);
    expect(await server.stagedFiles()).toEqual([]);
  });

  test('are not asked for at addresses that are not public, also behind a redirect', async () => {
    const web = await linking((_, res) => res.end());
    const server = await receiveServer({ reachesLoopback: false });
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '169.254.169.254', '0x7f.1']) {
      const url = `http://${host}:${new URL(web.url).port}/latest`;
      const { problems } = await server.json({ images: [{ image_url: url }] });
      expect(problems[0]?.message).toContain('is not a public address');
    }
    expect(web.asked).toEqual([]);
  });

  test('are not asked for while the request has other problems', async () => {
    const web = await linking((_, res) => res.end());
    const server = await receiveServer();
    const images = [{ image_url: web.url }];
    expect((await server.json({ images, n: 'x' })).status).toBe(400);
    expect((await server.json({ images, mask: { file_id: UNKNOWN_ID } })).status).toBe(404);
    expect(web.asked).toEqual([]);
  });

  test('are no longer downloaded when the client is gone', async () => {
    const asked = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<void>();
    const image = await noisePng(500_000);
    const web = await linking((_, res) => {
      res.write(image.subarray(0, 300_000));
      res.once('close', closed.resolve);
      asked.resolve();
    });
    const gone = new AbortController();
    const server = await receiveServer({ signal: gone.signal });
    const answered = server.json({ images: [{ image_url: web.url }, { image_url: web.url }] });
    await asked.promise;
    gone.abort(new DOMException('gone', 'AbortError'));
    expect((await answered).status).toBe(499);
    await closed.promise;
    await eventually(async () => expect(await server.stagedFiles()).toEqual([]));
  });

  test('that are refused by their head alone close their connection', async () => {
    const closed = Promise.withResolvers<void>();
    const web = await linking((_, res) => {
      res.once('close', closed.resolve);
      res.writeHead(200, { 'content-length': 1_000 }).flushHeaders();
    });
    const guard = createAddressGuard({ allow: () => true });
    onTestFinished(() => guard.close());
    const open = createOpenImageUrl({ guard, maxBytes: 999 });
    const bytes = open('image', web.url, new AbortController().signal);
    await expect(bytes.next()).rejects.toMatchObject({ code: 'TOO_LARGE' });
    await closed.promise;
  });

  test('are downloaded four at a time', async () => {
    let [running, most] = [0, 0];
    const image = await png(8, 8);
    const [four, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const web = await linking(async (req, res) => {
      if (req.url === '/ping') return void res.end();
      running += 1;
      most = Math.max(most, running);
      if (running === 4) four.resolve();
      await released.promise;
      running -= 1;
      res.end(image);
    });
    const server = await receiveServer();
    const images = Array.from({ length: 12 }, () => ({ image_url: web.url }));
    const answered = server.json({ images });
    await four.promise;
    // Any further request was sent before these.
    for (let pings = 0; pings < 20; pings += 1) await send(`${web.url}/ping`);
    released.resolve();
    expect((await answered).images).toHaveLength(12);
    expect(most).toBe(4);
  });
});
