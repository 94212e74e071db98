import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BOUNDARY, type FormPart, filePart, formBody } from '../../../support/multipart.ts';
import { seededRandom } from '../../../support/random.ts';
import { noisePng, png } from '../../../support/test-images.ts';
import { receiveServer } from './receive-server.ts';

const FORM = { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` };
const text = (name: string, content: string): FormPart => ({ name, content });
const PROMPT = text('prompt', 'p');

describe('a form that is malformed', () => {
  test.each<[string, Buffer]>([
    ['empty', Buffer.alloc(0)],
    ['without any boundary', Buffer.from('hello')],
    ['ending after its first boundary', Buffer.from(`--${BOUNDARY}`)],
    ['ending in a header', Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-da`)],
    ['text behind a boundary', Buffer.from(`--${BOUNDARY}x\r\n\r\n\r\n--${BOUNDARY}--`)],
    ['endless padding', Buffer.from(`--${BOUNDARY}${' '.repeat(9_000)}\r\n`)],
    ['a part without a header', Buffer.from(`--${BOUNDARY}\r\n\r\nx\r\n--${BOUNDARY}--`)],
    ['a part without a name', formBody([text('', 'x')])],
    ['a header of 1 MB', formBody([text(`a"; x="${'y'.repeat(1_000_000)}`, 'x')])],
    ['a long name', formBody([text('y'.repeat(4_000), 'x')])],
    ['no last boundary', formBody([PROMPT]).subarray(0, -4)],
    ['45,000 parts', formBody(Array.from({ length: 45_000 }, (_, i) => text(`f${i}`, '')))],
  ])('is refused with 400: %s', async (_, body) => {
    const server = await receiveServer();
    const { status, code } = await server.post(body, FORM);
    expect([status, code]).toEqual([400, 'BAD_REQUEST']);
    expect(await server.stagedFiles()).toEqual([]);
    expect(server.places).toEqual({ taken: 0, everTaken: 1 });
  });

  test.each(['multipart/form-data', 'multipart/form-data; boundary=', 'multipart/form-data; x=y'])(
    'is refused without a boundary: %s',
    async (type) => {
      const server = await receiveServer();
      const { status, message } = await server.post(formBody([PROMPT]), { 'content-type': type });
      expect([status, message]).toEqual([400, expect.stringContaining('boundary')]);
    },
  );
});

describe('text', () => {
  test('of 32,000 characters of four bytes passes; of 10 MB it is refused by its name', async () => {
    const server = await receiveServer();
    const longest = '𝄞'.repeat(32_000);
    const passed = [
      await server.form([text('prompt', longest)]),
      await server.json({ prompt: longest }),
    ];
    for (const { params } of passed) expect(params['prompt']).toBe(longest);
    const huge = 'x'.repeat(10_000_000);
    const refused = [
      await server.form([text('prompt', huge)]),
      await server.json({ prompt: huge }),
    ];
    for (const { status, problems } of refused) {
      expect(status).toBe(400);
      expect(problems).toMatchObject([{ field: 'prompt', code: 'TOO_LARGE' }]);
    }
  });

  test('of all fields together is bounded', async () => {
    const server = await receiveServer();
    const fields = Array.from({ length: 20 }, (_, i) => text(`f${i}`, 'x'.repeat(100_000)));
    expect((await server.form(fields)).problems).toMatchObject([{ code: 'TOO_LARGE' }]);
    const object = Object.fromEntries(fields.map(({ name, content }) => [name, content]));
    expect((await server.json(object)).problems).toMatchObject([{ code: 'TOO_LARGE' }]);
  });

  test('that is not UTF-8 is refused', async () => {
    const server = await receiveServer();
    const invalid = Buffer.from([0x61, 0xff, 0x62]);
    const { problems } = await server.form([{ name: 'prompt', content: invalid }]);
    expect(problems).toMatchObject([{ field: 'prompt', code: 'INVALID_VALUE' }]);
    const json = Buffer.concat([Buffer.from('{"prompt":"'), invalid, Buffer.from('"}')]);
    expect((await server.post(json, { 'content-type': 'application/json' })).status).toBe(400);
  });

  test('with NUL and lone surrogates is left to the check of the prompt', async () => {
    const server = await receiveServer();
    expect((await server.json('{"prompt":"a\\u0000\\ud800"}')).params['prompt']).toBe('a\0\ud800');
    expect((await server.form([text('prompt', 'a\0')])).params['prompt']).toBe('a\0');
  });
});

describe('JSON that is malformed', () => {
  test.each([
    '',
    '{',
    'null',
    '[]',
    '"x"',
    '{"prompt":"p"}}',
    '{"prompt":"p"} {}',
    '{"image":"data:image/png;base64,AAAA',
    '{"image":"data:image/png;base64,AAAA\\',
    "{'prompt':'p'}",
    '}}}]]]',
    ':,:,"',
    '{"image" "data:;base64,AAAA"}',
  ])('is refused with 400: %s', async (json) => {
    const server = await receiveServer();
    const { status } = await server.json(json);
    expect(status).toBe(400);
    expect(await server.stagedFiles()).toEqual([]);
  });

  test('is refused if it is nested deeper than 32 levels', async () => {
    const server = await receiveServer();
    const nested = (depth: number) => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
    expect((await server.json(nested(32))).status).toBe(200);
    for (const depth of [33, 100_000]) {
      const { status, message } = await server.json(nested(depth));
      expect([status, message]).toEqual([400, expect.stringContaining('deeper than 32')]);
    }
  });

  test('cannot name an image that it does not contain', async () => {
    const server = await receiveServer();
    const image = `data:;base64,${(await png()).toString('base64')}`;
    for (const forged of ['0', ':0', '00000000-0000-0000-0000-000000000000:0']) {
      const { status } = await server.json({ images: [image, forged] });
      expect(status).toBe(400);
    }
  });
});

describe('a request that is cut off', () => {
  const random = seededRandom(20260);
  let form: Buffer;
  let json: Buffer;
  beforeAll(async () => {
    const image = await noisePng(60_000);
    form = formBody([filePart('image', image), PROMPT, filePart('mask', await png())]);
    const url = `data:image/png;base64,${image.toString('base64')}`;
    json = Buffer.from(JSON.stringify({ prompt: 'p', images: [{ image_url: url }], mask: url }));
  });
  afterAll(() => {
    form = Buffer.alloc(0);
    json = Buffer.alloc(0);
  });

  test.each(['form', 'json'])('leaves nothing, wherever it ends: %s', async (kind) => {
    const body = kind === 'form' ? form : json;
    const type = kind === 'form' ? FORM['content-type'] : 'application/json';
    const arrived: (() => void)[] = [];
    const server = await receiveServer({ onRequest: () => arrived.shift()?.() });
    for (let round = 0; round < 250; round += 1) {
      const begun = new Promise<void>((resolve) => arrived.push(resolve));
      const socket = connect(server.port, '127.0.0.1').on('error', () => undefined);
      const at = Math.floor(random() * body.length);
      socket.write(
        `POST /v1 HTTP/1.1\r\nhost: x\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\n\r\n`,
      );
      socket.write(body.subarray(0, at));
      await begun;
      const closed = once(socket, 'close');
      socket.destroy();
      await closed;
    }
    await server.settled();
    expect(server.handled).toHaveLength(250);
    expect(server.places.taken).toBe(0);
    expect(await server.stagedFiles()).toEqual([]);
  });

  test.each(['form', 'json'])('is refused if it ends early but in order: %s', async (kind) => {
    const body = kind === 'form' ? form : json;
    const headers = kind === 'form' ? FORM : { 'content-type': 'application/json' };
    const server = await receiveServer();
    for (let round = 0; round < 40; round += 1) {
      const at = Math.floor(random() * (body.length - 3));
      expect((await server.post(body.subarray(0, at), headers)).status).toBe(400);
    }
    expect(await server.stagedFiles()).toEqual([]);
  });

  test('is read to its end after an early error, so that the connection goes on', async () => {
    const server = await receiveServer();
    const socket = connect(server.port, '127.0.0.1');
    const head = (length: number) =>
      `POST /v1 HTTP/1.1\r\nhost: x\r\ncontent-type: ${FORM['content-type']}\r\ncontent-length: ${length}\r\n\r\n`;
    const bad = formBody([text('prompt', 'x'.repeat(3_000_000))]);
    socket.write(head(bad.length));
    socket.write(bad);
    socket.write(head(form.length));
    socket.write(form);
    let seen = '';
    for await (const chunk of socket) {
      seen += chunk;
      if (/HTTP\/1.1 400.*HTTP\/1.1 200/s.test(seen)) break;
    }
    expect(seen).toMatch(/HTTP\/1.1 400.*HTTP\/1.1 200/s);
  });
});
