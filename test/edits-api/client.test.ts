import { randomBytes } from 'node:crypto';
import { getEventListeners, once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { png } from '../support/test-images.ts';
import {
  answerOf,
  clientOf,
  clientOfAnswer,
  clientOfServer,
  failureOf,
  fileOf,
  KEY,
  serveSockets,
} from './client-support.ts';

const bigFile = () => fileOf(randomBytes(8 * 1024 * 1024));

describe('a good answer', () => {
  it('is handed over as staged images, the rest of it, and its raw bytes', async () => {
    const images = [await png(), await png(32, 32)];
    const text = answerOf(images, { size: 'auto' });
    const { edit, rawAnswer, stagedFiles } = await clientOfAnswer(text, {
      headers: { 'x-request-id': 'req_42' },
    });
    const answer = await edit();

    expect(answer).toMatchObject({ httpStatus: 200, upstreamRequestId: 'req_42' });
    expect(answer.body).toEqual({
      created: 1,
      data: [{}, {}],
      usage: { total_tokens: 5 },
      size: 'auto',
    });
    expect(await Promise.all(answer.images.map(({ staged }) => readFile(staged.path)))).toEqual(
      images,
    );
    expect((await stagedFiles()).length).toBe(2);
    expect((await rawAnswer()).toString()).toBe(text);
  });

  it.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
  ])('is understood in %s, though nobody asked for it', async (coding, compress) => {
    const text = answerOf([await png()]);
    const { edit, rawAnswer } = await clientOfAnswer(compress(text), {
      headers: { 'content-encoding': coding },
    });

    expect((await edit()).images).toHaveLength(1);
    expect((await rawAnswer()).toString()).toBe(text);
  });

  it('may end with the connection, as in HTTP/1.0', async () => {
    const text = answerOf([await png()]);
    const url = await serveSockets((socket) => {
      socket.once('data', () => socket.end(`HTTP/1.0 200 OK\r\n\r\n${text}`));
    });
    const { edit } = await clientOf({ url });

    expect((await edit()).images).toHaveLength(1);
  });

  it('leaves nothing behind after two hundred calls', async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on('warning', onWarning);
    onTestFinished(() => {
      process.off('warning', onWarning);
    });
    const { edit } = await clientOfAnswer(answerOf([await png(8, 8)]));
    const { signal } = new AbortController();
    for (let i = 0; i < 200; i += 1) await edit({}, { signal });

    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(warnings.filter(({ name }) => name === 'MaxListenersExceededWarning')).toEqual([]);
  });
});

describe('what is sent', () => {
  it('is one POST with the exact length, to the base URL given with or without a slash', async () => {
    const seen: unknown[] = [];
    const { url, edit } = await clientOfServer(async (req, res) => {
      const body = await buffer(req);
      const { method, headers } = req;
      seen.push([method, req.url, headers.authorization, headers['accept-encoding']]);
      expect(headers['content-length']).toBe(String(body.length));
      expect(headers['transfer-encoding']).toBeUndefined();
      res.end(answerOf([await png()]));
    });
    await edit();
    const slashed = await clientOf({ url: `${url}/v1/` });
    await slashed.edit();

    const expected = ['POST', '/v1/images/edits', `Bearer ${KEY}`, 'identity'];
    expect(seen).toEqual([expected, expected]);
  });

  it('goes over a connection of its own each time', async () => {
    const ports = new Set<number | undefined>();
    const { edit } = await clientOfServer(async (req, res) => {
      ports.add(req.socket.remotePort);
      await buffer(req);
      res.end(answerOf([await png()]));
    });
    for (let i = 0; i < 3; i += 1) await edit();

    expect(ports.size).toBe(3);
  });
});

describe('a request that never got out', () => {
  it('is UNREACHABLE and not processed when the connection is refused', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    server.close();
    await once(server, 'close');
    const port = typeof address === 'object' ? address?.port : 0;
    const { edit } = await clientOf({ url: `http://127.0.0.1:${port}/v1` });

    const error = await failureOf(edit());
    expect(error).toMatchObject({ code: 'UNREACHABLE', outcome: 'not_processed' });
    expect(error.message).toContain('ECONNREFUSED');
  });

  it('is UNREACHABLE and not processed when the name does not resolve', async () => {
    const { edit } = await clientOf({ url: 'http://edits.invalid/v1' });
    expect(await failureOf(edit())).toMatchObject({
      code: 'UNREACHABLE',
      outcome: 'not_processed',
    });
  });

  it('is UNREACHABLE and not processed when TLS fails', async () => {
    const url = await serveSockets((socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    });
    const { edit } = await clientOf({ url: url.replace('http:', 'https:') });
    expect(await failureOf(edit())).toMatchObject({
      code: 'UNREACHABLE',
      outcome: 'not_processed',
    });
  });

  it('is UNREACHABLE and not processed when the connection takes too long', async () => {
    // Speaks no TLS and closes nothing, so the handshake never ends.
    const url = await serveSockets(() => {});
    const { edit } = await clientOf({
      url: url.replace('http:', 'https:'),
      connectTimeoutMs: 50,
    });
    expect(await failureOf(edit())).toMatchObject({
      code: 'UNREACHABLE',
      outcome: 'not_processed',
      message: expect.stringContaining('UND_ERR_CONNECT_TIMEOUT'),
    });
  });

  it('is INTERNAL and not processed when the key cannot stand in a header', async () => {
    const { edit } = await clientOf({ url: 'http://127.0.0.1:1/v1', key: 'line\nbreak' });
    const error = await failureOf(edit());

    expect(error).toMatchObject({ code: 'INTERNAL', outcome: 'not_processed' });
    expect(`${error.stack} ${error.cause}`).not.toContain('line\nbreak');
  });

  it('is INTERNAL and not processed when the raw answer could not be kept', async () => {
    let posts = 0;
    const { edit } = await clientOfServer((_, res) => {
      posts += 1;
      res.end();
    });
    const error = await failureOf(edit({}, { rawAnswerPath: '/nowhere/to/be/seen' }));

    expect(error).toMatchObject({ code: 'INTERNAL', outcome: 'not_processed' });
    expect(posts).toBe(0);
  });
});

describe('a connection that breaks', () => {
  it('is CONNECTION_LOST and unknown after the whole request', async () => {
    const { edit, rawAnswer } = await clientOfServer(async (req) => {
      await buffer(req);
      req.socket.resetAndDestroy();
    });

    expect(await failureOf(edit())).toMatchObject({
      code: 'CONNECTION_LOST',
      outcome: 'unknown',
      httpStatus: null,
    });
    expect((await rawAnswer()).length).toBe(0);
  });

  it('is CONNECTION_LOST and unknown when the server closes without a word', async () => {
    const { edit } = await clientOfServer(async (req) => {
      await buffer(req);
      req.socket.end();
    });
    expect(await failureOf(edit())).toMatchObject({ code: 'CONNECTION_LOST', outcome: 'unknown' });
  });

  it('is CONNECTION_LOST and not processed while the request is still being sent', async () => {
    const url = await serveSockets((socket) => {
      socket.once('data', () => socket.resetAndDestroy());
    });
    const { edit } = await clientOf({ url });
    expect(await failureOf(edit({ images: [bigFile()] }))).toMatchObject({
      code: 'CONNECTION_LOST',
      outcome: 'not_processed',
    });
  });

  it('is BROKEN_ANSWER and unknown when the answer is not HTTP', async () => {
    const url = await serveSockets((socket) => {
      socket.once('data', () => socket.end('SSH-2.0-OpenSSH_9.2\r\n\r\n'));
    });
    const { edit } = await clientOf({ url });
    expect(await failureOf(edit())).toMatchObject({ code: 'BROKEN_ANSWER', outcome: 'unknown' });
  });
});

describe('an image that cannot be sent', () => {
  it.each([
    ['is shorter than promised', { bytes: 300_000 }],
    ['is longer than promised', { bytes: 150_000 }],
    [
      'cannot be read',
      {
        open: () => {
          throw new Error('gone');
        },
      },
    ],
  ])('is INTERNAL and not processed when it %s', async (_, more) => {
    let whole = 0;
    const { edit, stagedFiles } = await clientOfServer(async (req, res) => {
      await buffer(req).catch(() => {});
      if (req.complete) whole += 1;
      res.end(answerOf([await png()]));
    });
    const error = await failureOf(edit({ images: [fileOf(randomBytes(200_000), more)] }));

    expect(error).toMatchObject({ code: 'INTERNAL', outcome: 'not_processed' });
    expect(error.cause).toBeInstanceOf(Error);
    expect(whole).toBe(0);
    expect(await stagedFiles()).toEqual([]);
  });
});

describe('an answer that comes before the request is read', () => {
  const refusal = '{"error":{"message":"Incorrect API key","code":"invalid_api_key"}}';
  const head = `HTTP/1.1 401 Unauthorized\r\ncontent-length: ${refusal.length}\r\nconnection: close\r\n\r\n`;

  it.each([
    ['closes at once', (socket: import('node:net').Socket) => socket.end(head + refusal)],
    [
      'destroys the connection',
      (socket: import('node:net').Socket) => {
        socket.write(head + refusal, () => socket.destroy());
      },
    ],
    [
      'reads on for a while',
      (socket: import('node:net').Socket) => {
        socket.write(head + refusal);
        socket.resume();
      },
    ],
  ])('is reported when the server %s', async (_, answer) => {
    const url = await serveSockets((socket) => {
      socket.once('data', () => {
        socket.pause();
        answer(socket);
      });
    });
    const { edit } = await clientOf({ url });
    expect(await failureOf(edit({ images: [bigFile()] }))).toMatchObject({
      code: 'AUTHENTICATION_FAILED',
      outcome: 'refused',
      httpStatus: 401,
      message: 'The upstream returned 401: Incorrect API key',
    });
  });
});

/** Without the look of a key of OpenAI. */
const LONG_KEY = 'fk7c2e9b-41d8-46a5-0f3d';

describe('an answer that is an error', () => {
  it('is told with its code, what was said, its request id and Retry-After, and is kept', async () => {
    const text = '{"error":{"message":"Slow down","type":"x","code":"rate_limit_exceeded"}}';
    const { edit, rawAnswer } = await clientOfAnswer(text, {
      status: 429,
      headers: { 'retry-after': '120', 'x-request-id': 'req_7' },
    });

    expect(await failureOf(edit())).toMatchObject({
      code: 'RATE_LIMITED',
      outcome: 'not_processed',
      httpStatus: 429,
      upstreamRequestId: 'req_7',
      retryAfterSeconds: 120,
      message: 'The upstream returned 429: Slow down',
    });
    expect((await rawAnswer()).toString()).toBe(text);
  });

  it('never shows the key, even when the server echoes it', async () => {
    const text = JSON.stringify({ error: { message: `Wrong key: ${KEY}, sk-other-key` } });
    const { edit } = await clientOfAnswer(text, {
      status: 401,
      headers: { 'x-request-id': `req ${KEY}` },
    });
    const error = await failureOf(edit());

    expect(error.message).toBe('The upstream returned 401: Wrong key: [redacted], [redacted]');
    expect(`${error.stack} ${error.upstreamRequestId} ${error.cause}`).not.toMatch(/sk-/);
  });

  it.each<[where: string, answer: Parameters<typeof clientOfAnswer>]>([
    ['a message', [JSON.stringify({ message: `${'y '.repeat(990)}${LONG_KEY}` }), { status: 401 }]],
    ['a page', [`<p>${'y '.repeat(240)}${LONG_KEY}</p>`, { status: 404 }]],
    [
      'a Location',
      ['', { status: 307, headers: { location: `https://x/${'y'.repeat(275)}?k=${LONG_KEY}` } }],
    ],
  ])('never shows a part of the key where %s is too long', async (_, [body, head]) => {
    const { edit } = await clientOfAnswer(body, head, { key: LONG_KEY });
    const { message } = await failureOf(edit());
    expect(message).toContain('y');
    expect(message).not.toContain(LONG_KEY.slice(0, 4));
  });

  it('never shows the key of another upstream', async () => {
    const { edit } = await clientOfAnswer(
      JSON.stringify({ error: { message: `not ${LONG_KEY}` } }),
      {
        status: 403,
      },
      { otherKeys: [LONG_KEY] },
    );
    expect((await failureOf(edit())).message).toBe('The upstream returned 403: not [redacted]');
  });

  it('is told by its status when its text is cut', async () => {
    const { edit } = await clientOfServer(async (req, res) => {
      await buffer(req);
      res.writeHead(400, { 'content-length': 1000 });
      res.write('{"error":', () => req.socket.destroy());
    });
    expect(await failureOf(edit())).toMatchObject({ code: 'BAD_REQUEST', outcome: 'refused' });
  });

  it('is not followed when it is a redirect', async () => {
    const seen: (string | undefined)[] = [];
    const { edit } = await clientOfServer(async (req, res) => {
      seen.push(req.url);
      await buffer(req);
      res.writeHead(307, { location: '/v1/elsewhere' }).end();
    });

    expect(await failureOf(edit())).toMatchObject({
      code: 'BAD_REQUEST',
      outcome: 'refused',
      httpStatus: 307,
      message: expect.stringContaining('Location: /v1/elsewhere'),
    });
    expect(seen).toEqual(['/v1/images/edits']);
  });
});

describe('an error in a response with status 200', () => {
  const refused = '{"error":{"message":"No credit.","type":"x","code":"insufficient_quota"}}';

  it('is a rejection, after keep-alive blanks and from a connection that breaks, too', async () => {
    const { edit, stagedFiles } = await clientOfServer(async (req, res) => {
      await buffer(req);
      res.writeHead(200);
      res.write(' \n\n');
      res.write(refused, () => req.socket.destroy());
    });
    expect(await failureOf(edit())).toMatchObject({
      code: 'INSUFFICIENT_QUOTA',
      outcome: 'refused',
      httpStatus: 200,
      message: 'The upstream returned 200 with an error: No credit.',
    });
    expect(await stagedFiles()).toEqual([]);
  });

  it('never shows the key', async () => {
    const { edit } = await clientOfAnswer(refused.replace('No credit.', `No credit: ${KEY}`));
    expect((await failureOf(edit())).message).not.toContain(KEY);
  });

  it('loses against the images that came with it', async () => {
    const text = answerOf([await png()], JSON.parse(refused));
    const { edit } = await clientOfAnswer(text);
    expect((await edit()).images).toHaveLength(1);
  });

  it('is an unknown outcome of a relay, and can be repeated first-hand', async () => {
    const own = '{"error":{"message":"Sorry.","type":"server_error","code":null,"param":null}}';
    const relay = await clientOfAnswer(own);
    expect(await failureOf(relay.edit())).toMatchObject({ outcome: 'unknown' });
    const api = await clientOfAnswer(own, {}, { firstHand: true });
    expect(await failureOf(api.edit())).toMatchObject({ outcome: 'not_processed' });
  });
});

describe('a rate limit', () => {
  const limitedWith = async (headers: Record<string, string>) => {
    const { edit } = await clientOfAnswer('{"error":{"message":"Slow down"}}', {
      status: 429,
      headers,
    });
    return failureOf(edit());
  };

  it.each([
    [{ 'retry-after-ms': '2500' }, 3],
    [{ 'retry-after': '9', 'x-ratelimit-reset-requests': '1s' }, 9],
    [{ 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '1m6s' }, 66],
    [{ 'x-ratelimit-remaining-tokens': '5', 'x-ratelimit-reset-tokens': '6m0s' }, null],
    [{ 'ratelimit-remaining': '0', 'ratelimit-reset': '50' }, 50],
    [{ 'x-ratelimit-reset': 'nonsense' }, null],
  ])('with %j asks for %j seconds', async (headers, seconds) => {
    expect(await limitedWith(headers)).toMatchObject({
      code: 'RATE_LIMITED',
      retryAfterSeconds: seconds,
    });
  });
});

describe('an answer that cannot be used', () => {
  const broken = { code: 'BROKEN_ANSWER', outcome: 'unknown', httpStatus: 200 };

  it('is BROKEN_ANSWER, and kept whole, when it is broken in its middle', async () => {
    const image = randomBytes(300_000).toString('base64');
    const text = `{"data":[{"b64_json":"iVBORw0KGgo*${image}"}],"usage":{}}`;
    const { edit, rawAnswer, stagedFiles } = await clientOfAnswer(text);

    expect(await failureOf(edit())).toMatchObject(broken);
    expect((await rawAnswer()).toString()).toBe(text);
    expect(await stagedFiles()).toEqual([]);
  });

  it('is BROKEN_ANSWER, and kept as far as it came, when it is cut', async () => {
    const text = answerOf([await png()]);
    const half = text.slice(0, -100);
    const { edit, rawAnswer, stagedFiles } = await clientOfServer(async (req, res) => {
      await buffer(req);
      res.writeHead(200, { 'content-length': text.length });
      res.write(half, () => req.socket.end());
    });

    expect(await failureOf(edit())).toMatchObject(broken);
    expect((await rawAnswer()).toString()).toBe(half);
    expect(await stagedFiles()).toEqual([]);
  });

  it('is BROKEN_ANSWER, and kept up to the limit, when it is too long', async () => {
    const text = answerOf([await png()]);
    const maxAnswerBytes = text.length - 100;
    const { edit, rawAnswer, stagedFiles } = await clientOfAnswer(text, {}, { maxAnswerBytes });
    const error = await failureOf(edit());

    expect(error).toMatchObject(broken);
    expect(error.message).toContain(`more than ${maxAnswerBytes} bytes`);
    expect((await rawAnswer()).toString()).toBe(text.slice(0, -100));
    expect(await stagedFiles()).toEqual([]);
  });

  it('is BROKEN_ANSWER in a coding nobody knows, or one that is broken', async () => {
    const text = answerOf([await png()]);
    const zipped = gzipSync(text);
    zipped.fill(0, 20, 60);
    const answers = { zip: randomBytes(500), gzip: zipped, br: Buffer.alloc(500, 0xee) };
    for (const [coding, body] of Object.entries(answers)) {
      const headers = { 'content-encoding': coding };
      const { edit, stagedFiles } = await clientOfAnswer(body, { headers });
      expect(await failureOf(edit())).toMatchObject(broken);
      expect(await stagedFiles()).toEqual([]);
    }
  });

  it('names nothing of what the server said when it is not JSON', async () => {
    const { edit } = await clientOfAnswer(`<p>${KEY}</p>`);
    const error = await failureOf(edit());
    expect(`${error.stack} ${error.cause}`).not.toContain(KEY);
  });
});
