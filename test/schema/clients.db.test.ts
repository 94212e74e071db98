import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { BOUNDARY } from '../support/multipart.ts';
import { EDIT } from '../support/operations.ts';
import { png } from '../support/test-images.ts';

const GRAPHQL_RESPONSE = 'application/graphql-response+json';
const UPLOAD = /* GraphQL */ `
  mutation ($file: Upload!) { uploadImage(input: { file: $file }) { ... on UploadImagePayload { image { id } } } }
`;
const global = (text: string) => Buffer.from(text).toString('base64url');

const MALFORMED = [
  ['an empty text', ''],
  ['another text', 'nonsense'],
  ['an id of another service', 'gid://shopify/Product/1'],
  ['no UUID', global('EditJob:1')],
  ['an unknown type', global('Nothing:01a205a7-0f22-7380-b842-5317ba207d91')],
  ['an input type', global('EditImageInput:01a205a7-0f22-7380-b842-5317ba207d91')],
  ['a type that is no node', global('UsageReport:01a205a7-0f22-7380-b842-5317ba207d91')],
  ['a property of every object', global('constructor:01a205a7-0f22-7380-b842-5317ba207d91')],
  ['a NUL character', 'a\u0000b'],
  ['half of a surrogate pair', '\ud800'],
  ['100,000 characters', 'x'.repeat(100_000)],
] as const;

describe.runIf(hasDatabase)('a client', () => {
  let app: TestApp;
  let imageId: string;
  let jobId: string;
  beforeAll(async () => {
    app = await startTestApp();
    const uploaded = await app.upload(UPLOAD, { file: null }, { file: await png(64, 64) });
    imageId = uploaded.data.uploadImage.image.id;
    const edited = await app.query(EDIT, {
      input: { images: [{ id: imageId }], prompt: 'a hat', wait: 60 },
    });
    jobId = edited.data.editImage.editJob.id;
  });
  afterAll(() => app?.stop());

  async function send(init: RequestInit & { path?: string } = {}) {
    const { path = '/graphql', headers, ...rest } = init;
    const response = await fetch(`${app.url}${path}`, {
      method: 'POST',
      ...rest,
      headers: { 'content-type': 'application/json', 'graphql-require-preflight': '1', ...headers },
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, json: JSON.parse(text) };
  }

  /** Lines of the log that came meanwhile, but for those of level debug and trace. */
  async function logged(work: () => Promise<unknown>) {
    const before = app.logged.length;
    await work();
    return app.logged
      .slice(before)
      .map((line) => JSON.parse(line))
      .filter(({ level }) => level !== 'debug' && level !== 'trace');
  }

  describe.each(MALFORMED)('with %s for an id', (_, id) => {
    test('gets null in its place, and all other fields', async () => {
      const { data, errors } = await app.query(
        `query ($id: ID!, $image: ID!) {
          editJob(id: $id) { id } image(id: $id) { id } node(id: $id) { id } lineage(id: $id) { truncated }
          nodes(ids: [$image, $id]) { id }
          byPrompt: editJobs(filter: { promptId: $id }) { totalCount }
          byInput: editJobs(filter: { inputImageId: $id }) { totalCount }
          byOutput: editJobs(filter: { outputImageId: $id }) { totalCount }
          all: editJobs { totalCount }
        }`,
        { id, image: imageId },
      );
      expect(errors).toBeUndefined();
      const none = { totalCount: 0 };
      expect(data).toEqual({
        ...{ editJob: null, image: null, node: null, lineage: null },
        nodes: [{ id: imageId }, null],
        ...{ byPrompt: none, byInput: none, byOutput: none },
        all: { totalCount: 1 },
      });
    });

    test.each([
      ['cancelEdit', 'cancelEdit(input: { id: $id })'],
      ['deleteEdit', 'deleteEdit(input: { id: $id })'],
      ['retryEdit', 'retryEdit(input: { id: $id, wait: 0 })'],
      ['editImage', 'editImage(input: { images: [{ id: $id }], prompt: "p" })'],
      [
        'its mask',
        'editImage(input: { images: [{ id: $image }], mask: { id: $id }, prompt: "p" })',
      ],
      ['deleteWebhook', 'deleteWebhook(input: { id: $id })'],
      ['enableWebhook', 'enableWebhook(input: { id: $id })'],
      ['rotateWebhookSecret', 'rotateWebhookSecret(input: { id: $id })'],
      ['redeliverWebhook', 'redeliverWebhook(input: { id: $id })'],
    ])('gets NotFoundError from %s', async (_name, field) => {
      const query = `mutation ($id: ID!${field.includes('$image') ? ', $image: ID!' : ''}) {
        result: ${field} { __typename ... on NotFoundError { id } }
      }`;
      const { data, errors } = await app.query(query, { id, image: imageId });
      expect(errors).toBeUndefined();
      expect(data.result).toMatchObject({ __typename: 'NotFoundError' });
    });

    test('gets an error for a cursor', async () => {
      const query = 'query ($id: String!) { editJobs(after: $id) { edges { cursor } } }';
      const { errors } = await app.query(query, { id: id === '' ? '?' : id });
      expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    });
  });

  test('gets null for ids that do not exist, among others', async () => {
    const absent = (type: string) => global(`${type}:01a205a7-0f22-7380-b842-5317ba207d91`);
    const types = ['EditJob', 'Image', 'Prompt', 'WebhookEndpoint', 'WebhookDelivery'];
    const { data, errors } = await app.query(
      'query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }',
      { ids: [...types.map(absent), jobId, imageId] },
    );
    expect(errors).toBeUndefined();
    expect(data.nodes).toEqual([
      ...types.map(() => null),
      { __typename: 'EditJob', id: jobId },
      { __typename: 'Image', id: imageId },
    ]);
  });

  test.each<[string, object | string]>([
    ['no GraphQL', { query: '{ a' }],
    ['an unknown field', { query: '{ nothing }' }],
    ['an unknown operation', { query: 'query A { __typename }', operationName: 'B' }],
    ['two operations and no name', { query: 'query A { __typename } query B { __typename }' }],
    ['a missing variable', { query: 'query ($id: ID!) { image(id: $id) { id } }' }],
    [
      'a wrong variable',
      { query: 'query ($n: Int) { editJobs(first: $n) { totalCount } }', variables: { n: 'x' } },
    ],
    ['no query', {}],
    ['a query that is a number', { query: 1 }],
    ['variables that are a list', { query: '{ __typename }', variables: [1] }],
    ['a list', []],
    ['a text', '"query"'],
    ['null', 'null'],
    ['cut JSON', '{"query":'],
  ])('that sends %s gets 400, and one line in the log without a stack', async (_, body) => {
    const lines = await logged(async () => {
      const { status, json, headers } = await send({
        headers: { accept: GRAPHQL_RESPONSE },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      expect(status).toBe(400);
      expect(headers.get('content-type')).toContain(GRAPHQL_RESPONSE);
      expect(json).not.toHaveProperty('data');
      expect(json.errors[0].extensions.code).toMatch(/^(?!INTERNAL)[A-Z_]+$/);
    });
    expect(lines).toMatchObject([{ level: 'info', msg: 'rejected request' }]);
    expect(lines[0]).not.toHaveProperty('err');
  });

  test.each(['variables', 'extensions'])(
    'that sends %s by GET that are no JSON gets 400',
    async (name) => {
      const path = `/graphql?query=%7B__typename%7D&${name}=%7B`;
      const { status, json } = await send({ method: 'GET', path });
      expect({ status, code: json.errors[0].extensions.code }).toEqual({
        status: 400,
        code: 'BAD_REQUEST',
      });
    },
  );

  test('that makes a mistake which a resolver finds leaves one line in the log, without its input', async () => {
    const lines = await logged(() =>
      app.query('query ($s: String) { editJobs(search: $s) { totalCount } }', {
        s: 'a secret prompt '.repeat(100),
      }),
    );
    expect(lines).toMatchObject([{ level: 'info', code: 'BAD_USER_INPUT', path: ['editJobs'] }]);
    expect(JSON.stringify(lines)).not.toMatch(/stack|secret prompt/);
  });

  test('that sends the hash of an unknown document is told to send the document, and then needs only the hash', async () => {
    const persistedQuery = { version: 1, sha256Hash: 'a'.repeat(64) };
    const expected = {
      status: 200,
      json: {
        errors: [
          {
            message: 'PersistedQueryNotFound',
            extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' },
          },
        ],
      },
    };
    const body = { operationName: 'A', variables: {}, extensions: { persistedQuery } };
    for (const accept of [
      '*/*',
      'application/json',
      `${GRAPHQL_RESPONSE},application/json;q=0.9`,
    ]) {
      const answer = await send({ headers: { accept }, body: JSON.stringify(body) });
      expect(answer).toMatchObject(expected);
    }
    const extensions = encodeURIComponent(JSON.stringify({ persistedQuery }));
    const byGet = await send({ method: 'GET', path: `/graphql?extensions=${extensions}` });
    expect(byGet).toMatchObject(expected);
    const query = '{ __typename }';
    const sha256Hash = createHash('sha256').update(query).digest('hex');
    const known = { extensions: { persistedQuery: { version: 1, sha256Hash } } };
    for (const request of [{ query, ...known }, known]) {
      const { json } = await send({ body: JSON.stringify(request) });
      expect(json).toEqual({ data: { __typename: 'Query' } });
    }
  });

  test.each<[string, Record<string, string>, string]>([
    ['an image', { 'content-type': 'image/png' }, 'application/json'],
    ['no type', { 'content-type': '' }, 'application/json'],
    ['a gzip body', { 'content-encoding': 'gzip' }, 'gzip'],
    ['a GZIP body', { 'content-encoding': 'GZIP' }, 'gzip'],
    ['a brotli body', { 'content-encoding': 'br' }, 'br'],
    [
      'a gzip multipart body',
      {
        'content-encoding': 'gzip',
        'content-type': `multipart/form-data; boundary=${BOUNDARY}`,
      },
      'gzip',
    ],
  ])('that sends %s gets 415 with an error that says what to send', async (_, headers, names) => {
    const body = gzipSync('{"query":"{ __typename }"}');
    const { status, json } = await send({ headers, body });
    expect(status).toBe(415);
    expect(json.errors).toMatchObject([{ extensions: { code: 'UNSUPPORTED_MEDIA_TYPE' } }]);
    expect(json.errors[0].message).toContain(names);
  });

  test('may say that a body is not encoded', async () => {
    const { json } = await send({
      headers: { 'content-encoding': 'identity' },
      body: '{"query":"{ __typename }"}',
    });
    expect(json).toEqual({ data: { __typename: 'Query' } });
  });

  test('that accepts no form of a result gets 406 with an error, and nothing is run', async () => {
    const mutation = `mutation { deleteEdit(input: { id: "${jobId}" }) { __typename } }`;
    for (const accept of ['text/html', 'image/avif,image/*', 'application/xml']) {
      const { status, json } = await send({
        headers: { accept },
        body: JSON.stringify({ query: mutation }),
      });
      expect(status).toBe(406);
      expect(json.errors).toMatchObject([{ extensions: { code: 'NOT_ACCEPTABLE' } }]);
      expect(json.errors[0].message).toContain('application/json');
    }
    const { data } = await app.query('query ($id: ID!) { editJob(id: $id) { id } }', { id: jobId });
    expect(data.editJob).toEqual({ id: jobId });
  });

  test('that accepts no stream for a subscription gets 406 with an error, and the stream is ended', async () => {
    const ended = () => app.logged.filter((line) => line.includes('subscription ended')).length;
    const before = ended();
    for (const accept of ['application/json', GRAPHQL_RESPONSE]) {
      const { status, json } = await send({
        headers: { accept },
        body: '{"query":"subscription { editJobs { __typename } }"}',
      });
      expect(status).toBe(406);
      expect(json.errors[0].message).toContain('text/event-stream');
    }
    expect(ended()).toBe(before + 2);
  });

  test('mutates over a WebSocket', async () => {
    const client = createClient({
      url: `${app.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
    });
    const input = { images: [{ id: imageId }], prompt: 'over a socket', wait: 60 };
    const [result] = await Array.fromAsync(client.iterate({ query: EDIT, variables: { input } }));
    expect(result).toMatchObject({ data: { editImage: { editJob: { status: 'SUCCEEDED' } } } });
    await client.dispose();
  });
});
