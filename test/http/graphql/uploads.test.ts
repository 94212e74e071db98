import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { send } from '../../support/http.ts';
import {
  BOUNDARY,
  filePart,
  formBody,
  MULTIPART_HEADERS,
  uploadBody,
} from '../../support/multipart.ts';
import { jpeg, noisePng, png } from '../../support/test-images.ts';
import { RECEIVE, uploadServer } from '../../support/upload-server.ts';

const operations = (variables: unknown, query = RECEIVE) => ({
  name: 'operations',
  content: JSON.stringify({ query, variables }),
});
const map = (content: unknown) => ({ name: 'map', content: JSON.stringify(content) });

it('receives files in the order of the variables', async () => {
  const server = await uploadServer();
  const files = [await jpeg(), await noisePng(200_000), await png()];
  const bytes = files.map((file) => file.length);
  expect(await server.upload(files)).toEqual({ bytes, error: null });
});

it('receives parts that come in another order than the variables', async () => {
  const server = await uploadServer();
  // Larger than all buffers on the way, so that an unread part holds up those behind it.
  const files = await Promise.all([500_000, 600_000, 700_000].map(noisePng));
  expect(await server.upload(files, [2, 0, 1])).toMatchObject({
    bytes: [500_000, 600_000, 700_000],
  });
});

it('receives 17 files', async () => {
  const server = await uploadServer();
  const files = Array.from({ length: 17 }, () => Buffer.alloc(0));
  const images = await Promise.all(files.map(() => png(4, 4)));
  expect((await server.upload(images)).bytes).toHaveLength(17);
});

it('refuses an 18th file and stores none', async () => {
  const server = await uploadServer();
  const image = await png();
  const body = uploadBody(
    RECEIVE,
    Array.from({ length: 18 }, () => image),
  );
  expect(await server.post(body)).toMatchObject({
    status: 413,
    json: {
      errors: [
        {
          message: 'The request may have at most 17 files; it has 18.',
          extensions: { code: 'PAYLOAD_TOO_LARGE' },
        },
      ],
    },
  });
  expect(await server.stagedFiles()).toEqual([]);
});

it('refuses an 18th file part that the map does not name', async () => {
  const server = await uploadServer();
  const image = await png();
  const strangers = Array.from({ length: 18 }, (_, i) => filePart(`stranger ${i}`, image));
  const { status, json } = await server.post([
    operations({ files: [null] }),
    map({ 0: ['variables.files.0'] }),
    ...strangers,
    filePart('0', image),
  ]);
  expect(status).toBe(200);
  expect(json.data.receive.error).toMatchObject({ field: 'files[0]' });
  expect(await server.stagedFiles()).toEqual([]);
});

it('ignores a file that the map does not name', async () => {
  const server = await uploadServer();
  const image = await noisePng(300_000);
  const { json } = await server.post([
    operations({ files: [null] }),
    map({ 0: ['variables.files.0'] }),
    filePart('stranger', image),
    filePart('0', image),
  ]);
  expect(json.data.receive.bytes).toEqual([300_000]);
});

it('accepts a file of exactly the limit and refuses one byte more', async () => {
  const server = await uploadServer({ maxFileBytes: 150_000 });
  expect(await server.upload([await noisePng(150_000)])).toMatchObject({ bytes: [150_000] });
  const before = await server.stagedFiles();
  for (const bytes of [150_001, 150_002, 400_000]) {
    expect(await server.upload([await noisePng(bytes), await png()])).toMatchObject({
      error: { field: 'files[0]', code: 'TOO_LARGE', message: expect.stringContaining('150,000') },
    });
  }
  expect(await server.stagedFiles()).toEqual(before);
});

it('refuses a small file over the limit that came whole before anybody read it', async () => {
  const server = await uploadServer({ maxFileBytes: 2_000 });
  expect(await server.upload([await png(4, 4), await noisePng(2_001)])).toMatchObject({
    error: { field: 'files[1]', code: 'TOO_LARGE' },
  });
  expect(await server.stagedFiles()).toEqual([]);
});

it('refuses the field that is no image, and takes its siblings out of the way', async () => {
  const server = await uploadServer();
  const pdf = Buffer.concat([Buffer.from('%PDF-1.7\n'), Buffer.alloc(900_000)]);
  const files = [await noisePng(500_000), pdf, await noisePng(500_000)];
  for (const order of [
    [0, 1, 2],
    [1, 0, 2],
    [2, 0, 1],
  ]) {
    expect(await server.upload(files, order)).toMatchObject({
      error: { field: 'files[1]', code: 'UNSUPPORTED_FORMAT' },
    });
  }
  expect(await server.stagedFiles()).toEqual([]);
});

it('reports a file that the map names and the body lacks', async () => {
  const server = await uploadServer();
  const { json } = await server.post([
    operations({ files: [null] }),
    map({ 0: ['variables.files.0'] }),
  ]);
  expect(json.data.receive.error).toMatchObject({ field: 'files[0]', code: 'REQUIRED' });
});

it('reports a file that the document uses twice', async () => {
  const server = await uploadServer();
  const query = `mutation ($a: Upload!) { receive(files: [$a, $a]) { error { field code } } }`;
  const { json } = await server.post([
    operations({ a: null }, query),
    map({ 0: ['variables.a'] }),
    filePart('0', await png()),
  ]);
  expect(json.data.receive.error).toEqual({ field: 'files[1]', code: 'INVALID_VALUE' });
  expect(await server.stagedFiles()).toEqual([]);
});

it.each([
  '../../../etc/passwd',
  '..\\\\..\\\\boot.ini',
  'a%0d%0aSet-Cookie: x=y.png',
  'null\\0byte.png',
  `${'x'.repeat(4096)}.png`,
])('takes no notice of the file name %j', async (filename) => {
  const server = await uploadServer();
  const { status, json } = await server.post([
    operations({ files: [null] }),
    map({ 0: ['variables.files.0'] }),
    filePart('0', await png(), filename),
  ]);
  expect(status).toBe(200);
  expect(json.data.receive.error).toBeNull();
  const [staged] = await server.stagedFiles();
  expect(staged).toMatch(/\/staging\/process\.[0-9a-f-]{36}$/);
});

const FILES = { files: [null] };

it.each([
  ['a huge list index', FILES, { 0: ['variables.files.4294967294'] }],
  ['a list index of one too many', FILES, { 0: ['variables.files.1'] }],
  ['a list index in another spelling', FILES, { 0: ['variables.files.00'] }],
  ['the length of a list', FILES, { 0: ['variables.files.length'] }],
  ['45,000 paths', FILES, { 0: Array.from({ length: 45_000 }, () => 'variables.files.0') }],
  [
    'too many paths',
    { files: Array(101).fill(null) },
    { 0: Array.from({ length: 101 }, (_, at) => `variables.files.${at}`) },
  ],
  ['one path twice', { a: null }, { 0: ['variables.a', 'variables.a'] }],
  ['no path', FILES, { 0: [] }],
  ['null for a list of paths', FILES, { 0: null }],
  ['a number for a list of paths', FILES, { 0: 5 }],
  ['a string for a list of paths', FILES, { 0: 'variables.files.0' }],
  ['a list of a number', FILES, { 0: [5] }],
  ['a path into the query', FILES, { 0: ['query'] }],
  ['a path into a letter of the query', FILES, { 0: ['query.0'] }],
  ['a path to the operation name', FILES, { 0: ['operationName'] }],
  ['a path to all variables', null, { 0: ['variables'] }],
  ['a path into the prototype', FILES, { 0: ['variables.__proto__.polluted'] }],
  ['a path into the constructor', FILES, { 0: ['variables.constructor.prototype.polluted'] }],
  ['an empty step', FILES, { 0: ['variables..files.0'] }],
  ['an empty path', FILES, { 0: [''] }],
  ['a path that does not exist', FILES, { 0: ['variables.other'] }],
  ['a path to something that is there', { files: ['text'] }, { 0: ['variables.files.0'] }],
  ['a path through a null', FILES, { 0: ['variables.files.0.deeper'] }],
  ['a batch’s path', FILES, { 0: ['0.variables.files.0'] }],
  ['a very long path', FILES, { 0: [`variables${'.a'.repeat(200_000)}`] }],
  ['one path for two files', FILES, { 0: ['variables.files.0'], 1: ['variables.files.0'] }],
  ['a list', FILES, [['variables.files.0']]],
  ['null', FILES, null],
  ['text', FILES, 'variables.files.0'],
])('refuses a map of %s, and nothing runs', async (_, variables, content) => {
  const server = await uploadServer();
  const { status, json } = await server.post([
    operations(variables),
    map(content),
    filePart('0', await png()),
  ]);
  expect(status).toBe(400);
  expect(json.errors).toEqual([
    { message: expect.any(String), extensions: { code: 'BAD_REQUEST' } },
  ]);
  expect(json.data).toBeUndefined();
  expect(await server.stagedFiles()).toEqual([]);
  expect(Object.keys(Object.prototype)).toEqual([]);
});

const field = (name: string, content: string) => ({ name, content });
const OPERATIONS = operations({ files: [] });

it.each([
  ['operations null', [field('operations', 'null'), map({})]],
  ['a batch of operations', [field('operations', '[{"query":"{ hello }"}]'), map({})]],
  ['operations that are text', [field('operations', '"query"'), map({})]],
  ['operations that are not JSON', [field('operations', '{'), map({})]],
  ['operations that are refused once more', [field('operations', '['), field('operations', '[')]],
  ['a map that is not JSON', [OPERATIONS, field('map', '{')]],
  ['no operations', [map({})]],
  ['no map', [OPERATIONS]],
  ['the map before the operations', [map({}), OPERATIONS]],
  ['a file before the map', [OPERATIONS, filePart('0', Buffer.alloc(9)), map({})]],
  ['no parts at all', []],
  ['other fields only', [field('query', '{ hello }')]],
  ['parts without a name', [field('', '{}'), field('', '{}')]],
])('answers 400 to %s', async (_, parts) => {
  const server = await uploadServer();
  const { status, json } = await server.post(parts);
  expect(status).toBe(400);
  expect(json.errors).toEqual([
    { message: expect.any(String), extensions: { code: 'BAD_REQUEST' } },
  ]);
});

it('refuses a path through an own property named __proto__', async () => {
  const server = await uploadServer();
  const { status } = await server.post([
    field('operations', '{"query":"{ hello }","variables":{"__proto__":{"a":null}}}'),
    map({ 0: ['variables.__proto__.a'] }),
    filePart('0', await png()),
  ]);
  expect(status).toBe(400);
});

it.each(['multipart/form-data', 'multipart/form-data; boundary=', 'multipart/form-data; x=y'])(
  'answers 400 to the content type %j',
  async (type) => {
    const server = await uploadServer();
    const { status, json } = await server.post(Buffer.from('x'), { 'content-type': type });
    expect(status).toBe(400);
    expect(json.errors[0].extensions).toEqual({ code: 'BAD_REQUEST' });
  },
);

it('survives part headers that are malformed twice in one chunk', async () => {
  const server = await uploadServer();
  const bad = `--${BOUNDARY}\r\n\0\r\n\r\nx\r\n`;
  const { status } = await server.post(Buffer.from(`${bad}${bad}${bad}--${BOUNDARY}--\r\n`));
  expect(status).toBe(400);
  expect(await server.upload([await png()])).toMatchObject({ error: null });
});

it('accepts operations of exactly the field limit and answers 413 to one byte more', async () => {
  const server = await uploadServer({ maxFieldBytes: 5_000 });
  const sized = (bytes: number) => {
    const { content } = operations({}, '{ hello }');
    return [field('operations', content.padEnd(bytes)), map({})];
  };
  expect(await server.post(sized(5_000))).toMatchObject({ json: { data: { hello: 'world' } } });
  expect(await server.post(sized(5_001))).toMatchObject({
    status: 413,
    json: { errors: [{ extensions: { code: 'PAYLOAD_TOO_LARGE' } }] },
  });
});

it('answers 413 at once to a body whose declared length no request may have', async () => {
  const server = await uploadServer({ maxFileBytes: 1_000 });
  const socket = connect(server.port, '127.0.0.1');
  socket.write(rawRequest(Buffer.alloc(0), 400_000_000));
  const [answer] = await once(socket, 'data');
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 413 /);
  socket.destroy();
});

it('answers 413 at once to a declared length over the limit of JSON', async () => {
  const server = await uploadServer({ maxJsonBytes: 1_000 });
  const socket = connect(server.port, '127.0.0.1');
  socket.write(
    'POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1001\r\n\r\n',
  );
  const [answer] = await once(socket, 'data');
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 413 /);
  socket.destroy();
});

it('answers 403 to an upload without a CSRF header', async () => {
  const server = await uploadServer();
  const body = uploadBody(RECEIVE, [await png()]);
  const { 'content-type': type } = MULTIPART_HEADERS;
  const answer = await send(server.url, {
    method: 'POST',
    headers: { 'content-type': type },
    body,
  });
  expect(answer.status).toBe(403);
  expect(await server.stagedFiles()).toEqual([]);
});

it.each([
  ['does not read its files', 'mutation ($files: [Upload!]!) { ignore(files: $files) }'],
  ['is not valid', 'mutation ($files: [Upload!]!) { nonsense(files: $files) }'],
  ['does not parse', 'mutation {'],
  ['ignores its variables', '{ hello }'],
])('keeps a connection usable after a request that %s', async (_, query) => {
  const server = await uploadServer({ maxFileBytes: 8_000_000 });
  // Not node:http's client: it gives a connection up that answers before it has read everything.
  const socket = connect(server.port, '127.0.0.1');
  const files = [Buffer.alloc(5_000_000), Buffer.alloc(5_000_000)];
  socket.write(rawRequest(uploadBody(query, files)));
  socket.write(rawRequest(uploadBody(RECEIVE, [await png()])));
  let answers = '';
  for await (const chunk of socket) {
    answers += chunk;
    if (answers.includes('"receive":{"bytes":[')) break;
  }
  expect(answers.match(/HTTP\/1\.1 \d/g)).toHaveLength(2);
});

/** A multipart request as it goes over the wire. Its length may be declared larger than it is. */
function rawRequest(body: Buffer, declaredBytes = body.length): Buffer {
  const headers = { ...MULTIPART_HEADERS, host: 'localhost', 'content-length': declaredBytes };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`POST /graphql HTTP/1.1\r\n${lines.join('')}\r\n`), body]);
}

/** Fifty places of a body, at its start, at its end and anywhere between. */
function offsets(length: number): number[] {
  const anywhere = Array.from({ length: 40 }, () => Math.floor(Math.random() * length));
  return [1, 10, 100, 200, 300, 400, length - 1, length - 3, length - 30, length - 90, ...anywhere];
}

it('keeps nothing of a body that is cut, wherever it is cut', async () => {
  const server = await uploadServer();
  const body = uploadBody(RECEIVE, [await noisePng(60_000), await noisePng(90_000)]);
  for (const offset of offsets(body.length - BOUNDARY.length - 6)) {
    const { status, json } = await server.post(body.subarray(0, offset));
    const outcome = json.errors?.[0].extensions.code ?? json.data.receive.error?.code;
    expect([status, outcome], `cut at ${offset}`).toEqual(
      expect.toSatisfy(
        ([s, code]) => (s === 400 && code === 'BAD_REQUEST') || (s === 200 && code !== undefined),
      ),
    );
  }
  expect(await server.stagedFiles()).toEqual([]);
});

it('keeps nothing of a client that vanishes, wherever it does', async () => {
  const server = await uploadServer();
  const body = uploadBody(RECEIVE, [await noisePng(60_000), await noisePng(90_000)]);
  const places = offsets(body.length - BOUNDARY.length - 6);
  for (const offset of places) {
    const socket = connect(server.port, '127.0.0.1');
    socket.on('error', () => undefined);
    const bytes = rawRequest(body.subarray(0, offset), body.length);
    await new Promise((resolve) => socket.write(bytes, resolve));
    socket.destroySoon();
    await once(socket, 'close');
  }
  // A last request that is whole: the server has seen all connections before it.
  await server.post(formBody([operations({}, '{ hello }'), map({})]));
  expect(server.requests()).toBe(places.length + 1);
  await server.settled();
  expect(await server.stagedFiles()).toEqual([]);
});

it.each([
  ['a declared', (bytes: number) => ({ 'content-length': bytes })],
  ['no declared', () => ({})],
])('holds JSON bodies with %s length to the limit, to the byte', async (_, length) => {
  const server = await uploadServer({ maxJsonBytes: 100_000 });
  const post = (bytes: number) =>
    send(server.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...length(bytes) },
      body: Buffer.from('{"query":"{ hello }"}'.padEnd(bytes)),
    });
  const exact = await post(100_000);
  expect(JSON.parse(exact.body.toString())).toEqual({ data: { hello: 'world' } });
  for (const bytes of [100_001, 3_000_000]) {
    const larger = await post(bytes);
    expect(larger.status).toBe(413);
    expect(JSON.parse(larger.body.toString())).toEqual({
      errors: [
        {
          message: 'The request body may have at most 100,000 bytes.',
          extensions: { code: 'PAYLOAD_TOO_LARGE' },
        },
      ],
    });
  }
});

it('leaves broken JSON to be answered with 400', async () => {
  const server = await uploadServer();
  const { status, body } = await send(server.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: Buffer.from('{'),
  });
  expect(status).toBe(400);
  expect(body.toString()).toContain('BAD_REQUEST');
});

it('leaves queries by GET alone', async () => {
  const server = await uploadServer();
  const headers = { 'x-graphql-yoga-csrf': '1' };
  const { body } = await send(`${server.url}?query={hello}`, { headers });
  expect(JSON.parse(body.toString())).toEqual({ data: { hello: 'world' } });
});
