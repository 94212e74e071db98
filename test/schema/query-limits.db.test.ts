import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { exampleOperations } from '../../src/graphiql/examples.ts';
import { QUERY_LIMITS } from '../../src/http/graphql/query-limits.ts';
import { INPUT_LIMITS } from '../../src/schema/input-limits.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { EDIT } from '../support/operations.ts';
import { png } from '../support/test-images.ts';

const { aliases, complexity, depth, directives, fields, nesting, tokens } = QUERY_LIMITS;
const { jsonCharacters, jsonDepth, listItems } = INPUT_LIMITS;
const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
const many = (count: number, part: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => part(index)).join(' ');

const FLOODS: [string, string, string, object?][] = [
  ['aliases', `{ ${many(aliases + 1, (i) => `a${i}: __typename`)} }`, `at most ${aliases}`],
  [
    'directives',
    `{ ${many(directives + 1, () => '__typename @skip(if: false)')} }`,
    `at most ${directives}`,
  ],
  ['one field again and again', `{ ${many(5_000, () => '__typename')} }`, `at most ${tokens}`],
  ['directives without end', `{ __typename ${many(5_000, () => '@a')} }`, `at most ${tokens}`],
  [
    '150,000 wrong enum values',
    `{ editJobs(filter: { status: [${many(150_000, () => 'WRONG')}] }) { totalCount } }`,
    `at most ${tokens}`,
  ],
  [
    '101 wrong enum values',
    `{ editJobs(filter: { status: [${many(101, () => 'WRONG')}] }) { totalCount } }`,
    `at most ${listItems}`,
  ],
  [
    '150,000 wrong enum values, by variables',
    'query($s: [EditStatus!]) { editJobs(filter: { status: $s }) { totalCount } }',
    `at most ${listItems}`,
    { s: Array(150_000).fill('WRONG') },
  ],
  [
    '150,000 images, by variables',
    'mutation($i: EditImageInput!) { editImage(input: $i) { __typename } }',
    `at most ${listItems}`,
    { i: { prompt: 'p', images: Array(150_000).fill({ id: 'x' }) } },
  ],
  ['3,000 brackets inside each other', `{ a(b: ${nested(1_500)}) }`, `at most ${nesting}`],
  [
    '3,000 braces inside each other',
    `${'{ a '.repeat(1_500)}${'}'.repeat(1_500)}`,
    `at most ${nesting}`,
  ],
  [
    '33 lists inside each other in JSON',
    `{ editJobs(filter: { metadata: { a: ${nested(33)} } }) { totalCount } }`,
    `at most ${jsonDepth}`,
  ],
  [
    '3,000 lists inside each other in JSON, by variables',
    'query($m: JSONObject) { editJobs(filter: { metadata: $m }) { totalCount } }',
    `at most ${jsonDepth}`,
    { m: JSON.parse(`{"a":${nested(3_000)}}`) },
  ],
  [
    'a megabyte of JSON, by variables',
    'query($m: JSONObject) { editJobs(filter: { metadata: $m }) { totalCount } }',
    `at most ${jsonCharacters}`,
    { m: { a: 'x'.repeat(1_000_000) } },
  ],
  [
    'one text in many places, by a variable',
    `query($t: String!) { editJobs(filter: { model: [${many(100, () => '$t')}] }) { totalCount } }`,
    `at most ${complexity}`,
    { t: 'x'.repeat(100_000) },
  ],
  [
    'one text as the zone of many reports, by a variable',
    `query($t: String!) { ${many(50, (i) => `a${i}: usage(from: "2026-01-01T00:00:00Z", to: "2026-02-01T00:00:00Z", timeZone: $t) { truncated }`)} }`,
    `at most ${complexity}`,
    { t: 'x'.repeat(100_000) },
  ],
  [
    'JSON in JSON that is nested too deep together',
    'query($m: JSONObject) { editJobs(filter: { metadata: { a: $m } }) { totalCount } }',
    `at most ${jsonDepth}`,
    { m: JSON.parse(`${'{"a":'.repeat(jsonDepth)}1${'}'.repeat(jsonDepth)}`) },
  ],
  [
    'JSON of many fields for many pages, by a variable',
    `query($f: EditJobFilter) { ${many(90, (i) => `a${i}: editJobs(first: 1, filter: $f) { totalCount }`)} }`,
    `at most ${complexity}`,
    {
      f: { metadata: Object.fromEntries(Array.from({ length: 40_000 }, (_, at) => [`k${at}`, 1])) },
    },
  ],
  ['a name of a megabyte', `{ ${'x'.repeat(1_000_000)} }`, 'at most 256'],
  [
    'a field a thousand times, which validation would compare with each other',
    `{ ${many(fields + 1, () => '__typename')} }`,
    `at most ${fields}`,
  ],
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
    '{ editJobs(first: 100) { edges { node { children(first: 100) { nodes { children(first: 100) { nodes { id } } } } } } } }',
    `at most ${complexity}`,
  ],
  [
    'pages in pages, by variables',
    'query($n: Int) { editJobs(first: $n) { edges { node { children(first: $n) { nodes { children(first: $n) { nodes { id } } } } } } } }',
    `at most ${complexity}`,
    { n: 100 },
  ],
  [
    'lists of the schema in each other',
    `{ __schema { types { ${'fields { type { '.repeat(6)} name ${'} } '.repeat(6)} } } }`,
    'introspection depth',
  ],
];

/** Without JSON, so that an error is a part of a stream too. */
const SUBSCRIPTION_SPEC = 'multipart/mixed;subscriptionSpec=1.0';

const PAGES =
  'query($n: Int) { editJobs(first: $n) { edges { node { children(first: $n) { nodes { children(first: $n) { nodes { id } } } } } } } }';

describe.runIf(hasDatabase)('the limits of an operation', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp();
  });
  afterAll(() => app?.stop());

  test.each(FLOODS)('refuse %s, and name the limit', async (_, query, message, variables = {}) => {
    for (const path of ['/graphql', '/graphql/subgraph']) {
      for (const accept of ['application/json', 'text/event-stream', SUBSCRIPTION_SPEC]) {
        const answer = await post(path, { query, variables }, accept);
        expect(answer.text, `${path} ${accept}`).toContain(message);
        expect(answer.text).toMatch(/"code":"(QUERY_TOO_LARGE|GRAPHQL_VALIDATION_FAILED)"/);
        expect(answer.text).not.toMatch(/"data":[^n]/);
        // What validation finds is 200 for clients of that time.
        if (answer.text.includes('QUERY_TOO_LARGE')) {
          expect(answer.status, accept).toBe(accept === SUBSCRIPTION_SPEC ? 200 : 400);
        }
      }
      const errors = await bySocket(query, variables, path);
      expect(errors).toMatchObject([{ message: expect.stringContaining(message) }]);
    }
  });

  async function post(path: string, body: object, accept: string) {
    const response = await fetch(`${app.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept },
      body: JSON.stringify(body),
    });
    return { status: response.status, text: await response.text() };
  }

  test('look at the variables anew each time', async () => {
    expect((await app.query(PAGES, { n: 2 })).errors).toBeUndefined();
    const { errors } = await app.query(PAGES, { n: 100 });
    expect(errors).toMatchObject([
      { extensions: { code: 'QUERY_TOO_LARGE', limit: 'complexity', most: complexity } },
    ]);
    expect((await app.query(PAGES, { n: 3 })).errors).toBeUndefined();
  });

  test('hold over a WebSocket, for queries and subscriptions', async () => {
    const tooDeep = `{ ... on EditJobUpdate { editJob { ${'retryOf { '.repeat(depth)} id ${'} '.repeat(depth)} } } }`;
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
  function bySocket(query: string, variables: object = {}, path = '/graphql'): Promise<unknown> {
    const socket = new WebSocket(`${app.url.replace('http', 'ws')}${path}`, 'graphql-transport-ws');
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
