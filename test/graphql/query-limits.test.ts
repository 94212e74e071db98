import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { exampleOperations } from '../../src/graphiql/examples.ts';
import { QUERY_LIMITS } from '../../src/http/query-limits.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { EDIT } from '../support/operations.ts';
import { png } from '../support/pictures.ts';

const { aliases, complexity, depth, directives, fields } = QUERY_LIMITS;
const many = (count: number, part: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => part(index)).join(' ');

const FLOODS: [string, string, string, object?][] = [
  ['aliases', `{ ${many(aliases + 1, (i) => `a${i}: __typename`)} }`, `at most ${aliases}`],
  [
    'directives',
    `{ ${many(directives + 1, () => '__typename @skip(if: false)')} }`,
    `at most ${directives}`,
  ],
  ['one field again and again', `{ ${many(5_000, () => '__typename')} }`, '4000 tokens'],
  ['directives without end', `{ __typename ${many(5_000, () => '@a')} }`, '4000 tokens'],
  [
    'circular fragments',
    '{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }',
    'itself',
  ],
  [
    'fragments that double each time',
    `{ ...F0 } ${many(40, (i) => `fragment F${i} on Query { ...F${i + 1} ...F${i + 1} }`)} fragment F40 on Query { __typename }`,
    `at most ${fields}`,
  ],
  [
    'depth',
    `{ editJobs(first: 1) { edges { node { ${'retryOf { '.repeat(depth)} id ${'} '.repeat(depth)} } } } }`,
    `at most ${depth}`,
  ],
  [
    'pages in pages',
    '{ editJobs(first: 100) { edges { node { children(first: 100) { children(first: 100) { id } } } } } }',
    `at most ${complexity}`,
  ],
  [
    'pages in pages, by variables',
    'query($n: Int) { editJobs(first: $n) { edges { node { children(first: $n) { children(first: $n) { id } } } } } }',
    `at most ${complexity}`,
    { n: 100 },
  ],
  [
    'lists of the schema in each other',
    `{ __schema { types { ${'fields { type { '.repeat(6)} name ${'} } '.repeat(6)} } } }`,
    'introspection depth',
  ],
];

const PAGES =
  'query($n: Int) { editJobs(first: $n) { edges { node { children(first: $n) { children(first: $n) { id } } } } } }';

describe.runIf(hasDatabase)('the limits of an operation', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp();
  });
  afterAll(() => app?.stop());

  test.each(FLOODS)('refuse %s, and name the limit', async (_, query, message, variables) => {
    const { data, errors } = await app.query(query, variables);
    expect(data ?? null).toBeNull();
    expect(errors?.[0]?.message).toContain(message);
    expect(errors?.[0]?.extensions?.['code']).toMatch(
      /^(QUERY_TOO_LARGE|GRAPHQL_PARSE_FAILED|GRAPHQL_VALIDATION_FAILED)$/,
    );
  });

  test('look at the variables anew each time', async () => {
    expect((await app.query(PAGES, { n: 2 })).errors).toBeUndefined();
    const { errors } = await app.query(PAGES, { n: 100 });
    expect(errors).toMatchObject([
      { extensions: { code: 'QUERY_TOO_LARGE', limit: 'complexity', most: complexity } },
    ]);
    expect((await app.query(PAGES, { n: 3 })).errors).toBeUndefined();
  });

  test('hold over a WebSocket, for queries and subscriptions', async () => {
    const tooDeep = `{ editJob { ${'retryOf { '.repeat(depth)} id ${'} '.repeat(depth)} } }`;
    expect(await bySocket(PAGES, { n: 100 })).toMatchObject([
      { extensions: { limit: 'complexity' } },
    ]);
    expect(await bySocket(FLOODS[0]?.[1] ?? '')).toMatchObject([
      { extensions: { limit: 'aliases' } },
    ]);
    expect(await bySocket(`subscription { editJobs ${tooDeep} }`)).toMatchObject([
      { extensions: { limit: 'depth' } },
    ]);
    expect(await bySocket(PAGES, { n: 2 })).toBeUndefined();
  });

  test('let through what GraphiQL and Relay ask of the schema, and our own examples', async () => {
    const introspection = getIntrospectionQuery({
      specifiedByUrl: true,
      directiveIsRepeatable: true,
      schemaDescription: true,
      inputValueDeprecation: true,
      oneOf: true,
    });
    expect((await app.query(introspection)).errors).toBeUndefined();
    for (const { query, variables } of exampleOperations({ sandbox: true })) {
      const given = JSON.parse(variables ?? '{}');
      const errors = query.includes('subscription ')
        ? await firstNews(query, given)
        : (await app.query(query, given)).errors;
      expect(JSON.stringify(errors ?? [])).not.toContain('QUERY_TOO_LARGE');
    }
  });

  /** The same of a subscription to all edits: some are made until it tells of one. */
  async function firstNews(query: string, variables: object): Promise<unknown> {
    const answered = bySocket(query, variables).then((errors) => ({ errors }));
    for (;;) {
      const edited = app.upload(
        EDIT,
        { input: { images: [{ file: null }], prompt: 'news' } },
        { 'input.images.0.file': await png() },
      );
      const first = await Promise.race([answered, edited.then(() => null)]);
      await edited;
      if (first !== null) return first.errors;
    }
  }

  /** The errors of an operation's first answer. */
  function bySocket(query: string, variables: object = {}): Promise<unknown> {
    const socket = new WebSocket(
      `${app.url.replace('http', 'ws')}/graphql`,
      'graphql-transport-ws',
    );
    return new Promise((resolve, reject) => {
      socket.on('error', reject);
      socket.on('open', () => socket.send('{"type":"connection_init"}'));
      socket.on('message', (message) => {
        const { type, payload } = JSON.parse(String(message));
        if (type === 'connection_ack') {
          socket.send(
            JSON.stringify({ id: '1', type: 'subscribe', payload: { query, variables } }),
          );
          return;
        }
        if (type === 'error') resolve(payload);
        else if (type === 'next') resolve(payload.errors);
        else return;
        socket.close();
      });
    });
  }
});
