import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import {
  brotliCompressSync,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import type { EditsApiRequest } from '../../../src/edits-api/edits-api.ts';
import { png } from '../../support/test-images.ts';
import { answerOf, clientOfAnswer, clientOfServer, failureOf } from '../client-support.ts';

const usage = { total_tokens: 30, input_tokens: 10, output_tokens: 20 };
const two: Partial<EditsApiRequest> = {
  fields: [
    ['prompt', 'a hat'],
    ['n', '2'],
    ['stream', 'true'],
  ],
};

let first: Buffer;
let second: Buffer;
beforeAll(async () => {
  [first, second] = [await png(), await png(32, 32)];
});

const event = (type: string, data: object) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
const completed = (image: Buffer, more: object = { usage }) =>
  event('image_edit.completed', { b64_json: image.toString('base64'), ...more });
const partial = (image: Buffer) =>
  event('image_edit.partial_image', { b64_json: image.toString('base64') });

/** Sends a request to a server that answers by hand, and reads the contents of the images. */
async function edited(
  answer: (res: ServerResponse, req: IncomingMessage) => unknown,
  { request = {}, timeoutMs = 30_000, quietMs = 50 } = {},
) {
  let posts = 0;
  const closed = Promise.withResolvers<void>();
  const client = await clientOfServer(
    async (req, res) => {
      await buffer(req);
      if (req.method === 'POST') posts += 1;
      req.socket.once('close', () => closed.resolve());
      await answer(res, req);
    },
    { quietMs },
  );
  const { images, body } = await client.edit(request, { timeoutMs });
  await closed.promise;
  expect(posts).toBe(1);
  expect((await client.stagedFiles()).length).toBe(images.length);
  const contents = await Promise.all(images.map(({ staged }) => readFile(staged.path)));
  return { contents, body };
}

describe('a whole answer', () => {
  it.each<[string, (res: ServerResponse, req: IncomingMessage, text: string) => unknown]>([
    [
      'whose last chunk is missing',
      (res, req, text) => res.write(text, () => req.socket.destroy()),
    ],
    [
      'whose connection is reset',
      (res, req, text) => res.write(text, () => req.socket.resetAndDestroy()),
    ],
    [
      'that is shorter than announced',
      (res, req, text) => {
        res.writeHead(200, { 'content-length': text.length + 100 });
        res.write(text, () => req.socket.destroy());
      },
    ],
    ['that is left open', (res, _, text) => res.write(text)],
    [
      'that is shorter than announced and left open',
      (res, _, text) => {
        res.writeHead(200, { 'content-length': text.length + 100 });
        res.write(text);
      },
    ],
    [
      'behind blanks and a byte order mark',
      (res, _, text) => res.end(`${' \r\n'.repeat(5_000)}\ufeff${text}`),
    ],
    ['behind comments', (res, _, text) => res.end(`: wait\n\n: ${'x'.repeat(70_000)}\n${text}`)],
    ['with blanks behind that never end', (res, _, text) => res.write(`${text}\n\n `)],
    ['with 201', (res, _, text) => res.writeHead(201).end(text)],
    [
      'of another content type',
      (res, _, text) => res.writeHead(200, { 'content-type': 'text/html' }).end(text),
    ],
    [
      'as events, line by line',
      (res, _, text) => {
        const lines = JSON.stringify(JSON.parse(text), null, 1).split('\n');
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.end(`${lines.map((line) => `data: ${line}\n`).join('')}\n`);
      },
    ],
    ['as one event without its end', (res, _, text) => res.write(`data: ${text}\n`)],
  ])('%s is used with its usage', async (_, answer) => {
    const text = answerOf([first, second], { usage });
    const { contents, body } = await edited((res, req) => answer(res, req, text), { request: two });
    expect(contents).toEqual([first, second]);
    expect(body['usage']).toEqual(usage);
  });

  it.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
  ])(
    'in %s is used although the coding is cut or left open behind it',
    async (coding, compress) => {
      const text = answerOf([first], { usage });
      // Hardly to be compressed: so the document ends well before its coding does.
      const bytes = compress(`${text}${randomBytes(300_000).toString('hex')}`).subarray(0, -1_000);
      const headers = { 'content-encoding': coding };
      for (const end of ['destroy', 'leave open'] as const) {
        const { contents, body } = await edited((res, req) => {
          res.writeHead(200, headers);
          res.write(bytes, () => end === 'destroy' && req.socket.destroy());
        });
        expect(contents).toEqual([first]);
        expect(body['usage']).toEqual(usage);
      }
    },
  );

  it('is used when it is left open inside its coding', async () => {
    const bytes = gzipSync(answerOf([first], { usage })).subarray(0, -8);
    const { contents } = await edited((res) => res.write(bytes));
    expect(contents).toEqual([first]);
  });

  it('is used when its coding is not announced, or announced and undone', async () => {
    const text = answerOf([first]);
    expect((await edited((res) => res.end(gzipSync(text)))).contents).toEqual([first]);
    const plain = await edited((res) => {
      res.writeHead(200, { 'content-encoding': 'gzip' }).end(text);
    });
    expect(plain.contents).toEqual([first]);
  });

  it.each<[string, string, (text: string) => Buffer]>([
    ['two codings', 'br, gzip', (text) => gzipSync(brotliCompressSync(text))],
    ['one coding twice', 'gzip, x-gzip', (text) => gzipSync(gzipSync(text))],
    ['one coding twice that is announced once', 'gzip', (text) => gzipSync(gzipSync(text))],
    ['deflate', 'deflate', (text) => deflateSync(text)],
    ['deflate without the zlib header', 'deflate', (text) => deflateRawSync(text)],
    ['br that is undone', 'br', (text) => Buffer.from(text)],
    ['deflate that is undone', 'deflate', (text) => Buffer.from(`\ufeff${text}`)],
  ])('in %s is used', async (_, coding, compress) => {
    const { contents } = await edited((res) => {
      res.writeHead(200, { 'content-encoding': coding }).end(compress(answerOf([first])));
    });
    expect(contents).toEqual([first]);
  });

  it.each<[string, (image: string) => object]>([
    ['the list', (image) => ({ data: image })],
    ['the list, as a data: URL', (image) => ({ output: `data:image/png; base64, ${image}` })],
    ['another list', (image) => ({ images: image })],
    ['the result of an item', (image) => ({ output: [{ type: 'image', result: image }] })],
    [
      'the list, beside a link to something else',
      (image) => ({ result: 'http://127.0.0.1:1/', images: [image] }),
    ],
  ])('with the image in place of %s is used', async (_, shape) => {
    const text = JSON.stringify({ status: 'ok', ...shape(first.toString('base64')) });
    expect((await edited((res) => res.end(text))).contents).toEqual([first]);
  });

  it.each<[string, (text: string) => Buffer | string]>([
    ['NaN', (text) => text.replace(/}$/, ',"cost":NaN,"more":[-Infinity]}')],
    ['a comma too many', (text) => text.replace(/}$/, ',}').replace(']', ' , ]')],
    ['line breaks in a text', (text) => text.replace('{', '{"note":"a\n,] NaN \\" b",')],
    [
      'bytes that are not UTF-8',
      (text) => Buffer.from(text.replace('{', '{"note":"\u00e9",'), 'latin1'),
    ],
    ['another spelling of its keys', (text) => text.replaceAll('b64_json', 'b64Json')],
  ])('with %s is used with its usage', async (_, change) => {
    const text = answerOf([first, second], { usage });
    const { contents, body } = await edited((res) => res.end(change(text)), { request: two });
    expect(contents).toEqual([first, second]);
    expect(body['usage']).toEqual(usage);
  });

  it('is used although it echoes an input image of any size, before its own or behind', async () => {
    const echo = { request: { input: randomBytes(2_000_000).toString('base64') }, said: 'x"\\' };
    const image = { data: [{ b64_json: first.toString('base64') }], usage };
    for (const answer of [
      { ...echo, ...image },
      { ...image, ...echo },
    ]) {
      const { contents, body } = await edited((res) => res.end(JSON.stringify(answer)));
      expect(contents).toEqual([first]);
      expect(body).toEqual({ ...echo, request: { input: '' }, data: [{}], usage });
    }
  });

  it('is used with what a database does not store left out or replaced', async () => {
    const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`;
    const text = answerOf([first], { usage: { ...usage, note: 'a\0b \ud83d' }, 'k\0': 1 });
    const { contents, body } = await edited((res) =>
      res.end(text.replace('{', `{"__proto__":{"a":1},"deep":${deep},`)),
    );
    expect(contents).toEqual([first]);
    expect(body['usage']).toEqual({ ...usage, note: 'a\ufffdb \ufffd' });
    expect(body).toMatchObject({ 'k\ufffd': 1 });
    expect(JSON.stringify(body)).toContain('"__proto__":{"a":1}');
    expect(JSON.stringify(body['deep'])).toBe(`${'['.repeat(31)}null${']'.repeat(31)}`);
  });

  it('that is a bare image is used', async () => {
    const { contents } = await edited((res) =>
      res.writeHead(200, { 'content-type': 'image/png' }).end(first),
    );
    expect(contents).toEqual([first]);
  });
});

describe('an event stream', () => {
  it.each<[string, string]>([
    ['[DONE]', 'data: [DONE]\n\n'],
    ['[DONE] without a blank line', 'data: [DONE]\n'],
    ['nothing more', ''],
    ['signs of life', ': ping\n\n'],
    ['an event of another kind', 'event: ping\ndata: {}\n\n'],
  ])('that is left open after %s ends, and its connection is closed', async (_, end) => {
    const { contents, body } = await edited((res) =>
      res.write(partial(second) + completed(first) + end),
    );
    expect(contents).toEqual([first]);
    expect(body['usage']).toEqual(usage);
  });

  it('that sends signs of life for ever ends', async () => {
    let timer: NodeJS.Timeout | undefined;
    const { contents } = await edited((res) => {
      res.write(completed(first));
      timer = setInterval(() => res.write(': ping\n\n'), 5);
    });
    clearInterval(timer);
    expect(contents).toEqual([first]);
  });

  it('waits for the second of two images, and ends after it', async () => {
    const { contents, body } = await edited(
      (res) => {
        res.write(completed(first));
        setTimeout(() => res.write(completed(second)), 300);
      },
      { request: two },
    );
    expect(contents).toEqual([first, second]);
    expect(body['usage']).toEqual({ total_tokens: 60, input_tokens: 20, output_tokens: 40 });
  });

  it('that is cut, or out of time, after one of two images brings that one, its usage unknown', async () => {
    const ends = [
      (res: ServerResponse, req: IncomingMessage) =>
        res.write(completed(first), () => req.socket.destroy()),
      (res: ServerResponse, req: IncomingMessage) =>
        res.write(completed(first) + completed(second).slice(0, 90), () => req.socket.destroy()),
      (res: ServerResponse) => res.write(completed(first)),
    ];
    for (const end of ends) {
      const { contents, body } = await edited(end, { request: two, timeoutMs: 1_000 });
      expect(contents).toEqual([first]);
      expect(body).not.toHaveProperty('usage');
    }
  });

  it('has its usage in an event of its own', async () => {
    const apart = event('image_edit.usage', { usage });
    const { body } = await edited((res) => res.end(completed(first, {}) + apart));
    expect(body['usage']).toEqual(usage);
  });

  it('never takes an image on the way for the image', async () => {
    const cut = `data: {"b64_json":"${first.toString('base64')}","type":"image_edit.par`;
    for (const text of [partial(first), partial(first).slice(0, -10), cut]) {
      const client = await clientOfAnswer(text);
      expect(await failureOf(client.edit())).toMatchObject({ code: 'BROKEN_ANSWER' });
      expect(await client.stagedFiles()).toEqual([]);
    }
  });
});

describe('images of an answer that are not images', () => {
  const b64 = (bytes: Buffer | string) => ({ b64_json: Buffer.from(bytes).toString('base64') });

  it.each<[string, () => object]>([
    ['half an image', () => b64(first.subarray(0, -20))],
    ['an HTML page', () => b64('<html>no</html>')],
    ['a GIF', () => b64('GIF89a and so on, no format that is stored')],
    ['nothing', () => ({ b64_json: '', url: '' })],
    ['a link to nowhere', () => ({ url: 'http://127.0.0.1:1/' })],
  ])('do not matter to the others: %s', async (_, element) => {
    const data = [b64(first), element(), b64(second)];
    const { contents } = await edited((res) => res.end(JSON.stringify({ data })));
    expect(contents).toEqual([first, second]);
    const stream = completed(first) + event('image_edit.completed', element()) + completed(second);
    expect((await edited((res) => res.end(stream))).contents).toEqual([first, second]);
  });

  it.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
  ])('are fetched from a server that compresses them: %s', async (coding, compress) => {
    // A slow machine takes longer to compress than others are waited for.
    const serve = (res: ServerResponse, req: IncomingMessage) => {
      if (req.method === 'POST') return res.end('{"data":[{"url":"/image.png"}]}');
      return res.writeHead(200, { 'content-encoding': coding }).end(compress(first));
    };
    const { contents } = await edited(serve, { quietMs: 30_000 });
    expect(contents).toEqual([first]);
  });

  it('leave the link beside them', async () => {
    const { contents } = await edited((res, req) => {
      if (req.method === 'GET') return res.end(first);
      return res.end(JSON.stringify({ data: [{ ...b64('<html>'), url: '/image.png' }] }));
    });
    expect(contents).toEqual([first]);
  });
});

describe('usage', () => {
  it.each<[string, object]>([
    ['around the images', { data: { data: [], usage } }],
    ['beside the list', { usage }],
    ['with metadata', { metadata: { usage } }],
    ['with the only image', { data: [{ usage }] }],
  ])('is found %s', async (_, more) => {
    const image = { b64_json: first.toString('base64') };
    const document = JSON.parse(JSON.stringify({ data: [image], ...more }));
    if (Array.isArray(document.data)) document.data = [{ ...document.data[0], ...image }];
    else document.data.data = [image];
    const { body } = await edited((res) => res.end(JSON.stringify(document)));
    expect(body['usage']).toEqual(usage);
  });
});
