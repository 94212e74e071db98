import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { insertForeignRows } from '../support/foreign-rows.ts';
import { send } from '../support/http.ts';
import { filePart, formBody, MULTIPART_HEADERS } from '../support/multipart.ts';
import { EDIT } from '../support/operations.ts';
import { SSE, SUBSCRIBERS } from '../support/subscriptions.ts';
import { png } from '../support/test-images.ts';

const PATH = '/graphql/subgraph';
const CSRF_HEADERS = [
  'apollo-require-preflight',
  'graphql-require-preflight',
  'x-apollo-operation-name',
];
const ENTITIES = /* GraphQL */ `
  query ($representations: [_Any!]!, $from: DateTime = "2020-01-01T00:00:00Z") {
    _entities(representations: $representations) {
      __typename
      ... on EditJob { id prompt { text } outputImages { id sha256 } owner { id } }
      ... on Image { id bytes small: thumbnailUrl(width: 64) }
      ... on User {
        id
        editJobs(first: 1) { totalCount nodes: edges { node { prompt { text } } } pageInfo { hasNextPage } }
        usage(from: $from, to: "2100-01-01T00:00:00Z") { totals { edits totalTokens } }
      }
    }
  }
`;

describe.runIf(hasDatabase)('/graphql/subgraph', () => {
  let app: TestApp;
  let jobs: { id: string; outputImages: { id: string; sha256: string }[] }[];
  beforeAll(async () => {
    app = await startTestApp();
    const picture = await png();
    const edit = async (prompt: string) => {
      const input = { images: [{ file: null }], prompt };
      const { data } = await app.upload(EDIT, { input }, { 'input.images.0.file': picture });
      return data.editImage.editJob;
    };
    jobs = [await edit('first'), await edit('second'), await edit('third')];
  });
  afterAll(() => app?.stop());

  async function ask(query: string, variables: object = {}, headers: Record<string, string> = {}) {
    const response = await fetch(`${app.url}${PATH}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query, variables }),
    });
    return { httpStatus: response.status, ...(await response.json()) };
  }
  const entities = async (...representations: unknown[]) => {
    const { data, errors } = await ask(ENTITIES, { representations });
    expect(errors).toBeUndefined();
    return data._entities;
  };
  const ref = (__typename: string, id: unknown) => ({ __typename, id });

  test('tells gateways the schema that is committed, without node and nodes', async () => {
    const { data } = await ask('{ _service { sdl } }');
    const committed = await readFile(
      join(import.meta.dirname, '../../schema.subgraph.graphql'),
      'utf8',
    );
    expect(`${data._service.sdl}\n`).toBe(committed);
    const { errors } = await ask('query ($id: ID!) { node(id: $id) { id } }', { id: jobs[0]?.id });
    expect(errors[0].message).toContain('Cannot query field "node"');
  });

  test('is not mixed with the standalone schema, which has node and no entities', async () => {
    const { data, errors } = await app.query('query ($id: ID!) { node(id: $id) { id } }', {
      id: jobs[0]?.id,
    });
    expect({ data, errors }).toEqual({ data: { node: { id: jobs[0]?.id } }, errors: undefined });
    const refused = await app.query('{ _service { sdl } }');
    expect(refused.errors?.[0]?.message).toContain('Cannot query field "_service"');
  });

  test('resolves references of every entity, mixed, in the order asked for', async () => {
    const [first, second, third] = jobs;
    const image = second?.outputImages[0];
    const answer = await entities(
      ref('EditJob', second?.id),
      ref('Image', image?.id),
      ref('User', 'local'),
      ref('EditJob', first?.id),
      ref('EditJob', third?.id),
    );
    const job = (of: typeof first, text: string) => ({
      __typename: 'EditJob',
      id: of?.id,
      prompt: { text },
      outputImages: of?.outputImages.map(({ id, sha256 }) => ({ id, sha256 })),
      owner: { id: 'local' },
    });
    expect(answer).toEqual([
      job(second, 'second'),
      {
        __typename: 'Image',
        id: image?.id,
        bytes: expect.any(Number),
        small: `${app.url}/images/${image?.id}?w=64`,
      },
      {
        __typename: 'User',
        id: 'local',
        editJobs: {
          totalCount: 3,
          nodes: [{ node: { prompt: { text: 'third' } } }],
          pageInfo: { hasNextPage: true },
        },
        usage: { totals: { edits: 3, totalTokens: expect.any(Number) } },
      },
      job(first, 'first'),
      job(third, 'third'),
    ]);
  });

  // But for what makes the thumbnails behind the edits' back.
  test('reads many references by as many statements as one', async () => {
    const statements = async (...representations: unknown[]) => {
      const before = app.logged.length;
      await entities(...representations);
      return app.logged
        .slice(before)
        .filter((line) => /"sql":"SELECT(?!.*thumbHash\\" IS NULL).*EditJobImage/.test(line));
    };
    expect(await statements(ref('EditJob', jobs[0]?.id))).toHaveLength(1);
    expect(await statements(...jobs.map(({ id }) => ref('EditJob', id)))).toHaveLength(1);
  });

  test('answers null for what is not the viewer’s, not there, or not an id of that type', async () => {
    const foreign = await insertForeignRows(app);
    const [job] = jobs;
    const image = job?.outputImages[0]?.id;
    const none = [
      ref('EditJob', foreign.job),
      ref('Image', foreign.image),
      ref('User', 'somebody-else'),
      ref('EditJob', image),
      ref('Image', job?.id),
      ref(
        'EditJob',
        Buffer.from('EditJob:01999999-0000-7000-8000-000000000000').toString('base64url'),
      ),
      ref('Image', 'a id of another subgraph'),
      ref('EditJob', ''),
      ref('EditJob', '\u0000'),
      ref('User', 'x'.repeat(100_000)),
      ref('EditJob', undefined),
      ref('EditJob', { gt: '' }),
      ref('Image', [image]),
      ref('User', 1),
    ];
    const answer = await entities(...none, ref('EditJob', job?.id));
    expect(answer.slice(0, -1)).toEqual(none.map(() => null));
    expect(answer.at(-1)).toMatchObject({ id: job?.id });
  });

  test.each([
    ['a text', 'EditJob'],
    ['a null', null],
    ['a list', []],
    ['nothing', {}],
    ['a type that is no entity', { __typename: 'Prompt', id: 'x' }],
    ['a type that is not there', { __typename: 'Nope', id: 'x' }],
    ['a root type', { __typename: 'Query', id: 'x' }],
    ['a property of every object', { __typename: 'constructor', id: 'x' }],
  ])('takes %s for a reference as the client’s mistake', async (_, representation) => {
    const { errors, httpStatus } = await ask(ENTITIES, { representations: [representation] });
    expect(errors[0].extensions.code).toBe('BAD_USER_INPUT');
    expect(httpStatus).toBeLessThan(500);
  });

  test('takes an upload with any of the headers that gateways forward, and none without', async () => {
    const variables = { input: { images: [{ file: null }], prompt: 'by a gateway', wait: 30 } };
    const body = formBody([
      { name: 'operations', content: JSON.stringify({ query: EDIT, variables }) },
      { name: 'map', content: JSON.stringify({ 0: ['variables.input.images.0.file'] }) },
      filePart('0', await png()),
    ]);
    const post = async (headers: Record<string, string>) => {
      const answer = await send(`${app.url}${PATH}`, {
        method: 'POST',
        headers: { ...MULTIPART_HEADERS, ...headers },
        body,
      });
      return { status: answer.status, json: JSON.parse(answer.body.toString()) };
    };
    const refused = await post({ 'x-graphql-yoga-csrf': '1' });
    expect(refused.status).toBe(403);
    expect(refused.json.errors[0].extensions.code).toBe('CSRF_PREVENTED');
    for (const header of CSRF_HEADERS) {
      const { json } = await post({ [header]: 'Edit' });
      expect(json.data.editImage.editJob.status, header).toBe('SUCCEEDED');
    }
  });

  test.each([
    ['both a file and an id', (id: string) => ({ file: null, id }), 'INVALID_VALUE'],
    ['neither', () => ({}), 'REQUIRED'],
  ])('refuses a picture that is %s, as composed schemas have no @oneOf', async (_, image, code) => {
    const id = jobs[0]?.outputImages[0]?.id ?? '';
    const input = { images: [{ id }, image(id)], prompt: 'p' };
    const hasFile = 'file' in image(id);
    const body = formBody([
      { name: 'operations', content: JSON.stringify({ query: EDIT, variables: { input } }) },
      {
        name: 'map',
        content: JSON.stringify(hasFile ? { 0: ['variables.input.images.1.file'] } : {}),
      },
      ...(hasFile ? [filePart('0', await png())] : []),
    ]);
    const answer = await send(`${app.url}${PATH}`, {
      method: 'POST',
      headers: { ...MULTIPART_HEADERS, 'apollo-require-preflight': 'true' },
      body,
    });
    expect(JSON.parse(answer.body.toString()).data.editImage).toMatchObject({
      __typename: 'InvalidInputError',
      field: 'images[1]',
      code,
    });
  });

  test.each(SUBSCRIBERS)('streams an edit’s end by $name', async ({ subscribe }) => {
    const id = jobs[0]?.id;
    const query =
      'subscription ($id: ID!) { editJob(id: $id) { __typename editJob { id status owner { id } } } }';
    const [result] = await Array.fromAsync(subscribe(app.url, query, { id }, PATH));
    expect(result?.data).toEqual({
      editJob: {
        __typename: 'EditJobSnapshot',
        editJob: { id, status: 'SUCCEEDED', owner: { id: 'local' } },
      },
    });
  });

  test('serves no page: GraphiQL is for the API that people use', async () => {
    const response = await fetch(`${app.url}${PATH}`, { headers: { accept: 'text/html' } });
    expect(response.headers.get('content-type') ?? '').not.toContain('html');
    expect(await response.text()).not.toContain('<');
  });
});

describe.runIf(hasDatabase)('/graphql, where nobody joins anything', () => {
  test('has the owner of an edit too, and the viewer, with their edits and usage', async () => {
    const app = await startTestApp();
    try {
      const { data } = await app.upload(
        'mutation ($input: EditImageInput!) { editImage(input: $input) { ... on EditImagePayload { editJob { owner { id editJobs { totalCount } } } } } }',
        { input: { images: [{ file: null }], prompt: 'mine' } },
        { 'input.images.0.file': await png() },
      );
      expect(data.editImage.editJob.owner).toEqual({ id: 'local', editJobs: { totalCount: 1 } });

      const fields = `
        limits { amount } editJobs(first: 5) { totalCount edges { node { id } } }
        usage(from: "2020-01-01T00:00:00Z", to: "2100-01-01T00:00:00Z", groupBy: [OWNER]) {
          totals { edits cost } buckets { ownerId }
        }`;
      await insertForeignRows(app);
      const viewer = await app.query(`{ viewer { id isAdmin ${fields} } ${fields} }`);
      const { viewer: of, ...same } = viewer.data;
      expect(of).toEqual({ id: 'local', isAdmin: true, ...same });
      expect(of.editJobs.totalCount).toBe(1);
    } finally {
      await app.stop();
    }
  });
});

describe.runIf(hasDatabase)('/graphql/subgraph, with a prefix for the names of types', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp({ SUBGRAPH_TYPE_PREFIX: 'Retouch' });
  });
  afterAll(() => app?.stop());

  async function ask(query: string, variables: object = {}) {
    const response = await fetch(`${app.url}${PATH}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = await response.json();
    expect(errors).toBeUndefined();
    return data;
  }

  test('resolves unions, interfaces, connections and entities by their new names', async () => {
    const uploaded = await app.upload(
      'mutation ($file: Upload!) { uploadImage(input: { file: $file }) { ... on UploadImagePayload { image { id } } } }',
      { file: null },
      { file: await png() },
    );
    const imageId = uploaded.data.uploadImage.image.id;
    const edit = /* GraphQL */ `
      mutation ($input: RetouchEditImageInput!) {
        editImage(input: $input) {
          __typename
          ... on RetouchEditImagePayload {
            editJob { __typename id prompt { __typename text } inputImages { __typename id } }
          }
          ... on RetouchError { message }
        }
      }
    `;
    const { editImage } = await ask(edit, {
      input: { images: [{ id: imageId }], prompt: 'p', wait: 60 },
    });
    expect(editImage).toEqual({
      __typename: 'RetouchEditImagePayload',
      editJob: {
        __typename: 'RetouchEditJob',
        id: expect.any(String),
        prompt: { __typename: 'RetouchPrompt', text: 'p' },
        inputImages: [{ __typename: 'RetouchImage', id: imageId }],
      },
    });
    const refused = await ask(edit, { input: { images: [{ id: 'nonsense' }], prompt: 'p' } });
    expect(refused.editImage).toMatchObject({ __typename: 'RetouchNotFoundError' });

    const { id } = editImage.editJob;
    const read = await ask(
      /* GraphQL */ `
        query ($representations: [_Any!]!) {
          editJobs { edges { node { __typename outputImages { producedBy { __typename nodes { id } } } } } }
          _entities(representations: $representations) {
            __typename
            ... on RetouchEditJob { id cost { __typename } }
            ... on RetouchImage { usedBy { nodes { id } } }
            ... on User { editJobs { edges { node { id } } } }
          }
        }
      `,
      {
        representations: [
          { __typename: 'RetouchEditJob', id },
          { __typename: 'RetouchImage', id: imageId },
          { __typename: 'User', id: 'local' },
        ],
      },
    );
    expect(read).toEqual({
      editJobs: {
        edges: [
          {
            node: {
              __typename: 'RetouchEditJob',
              outputImages: [
                { producedBy: { __typename: 'RetouchEditJobConnection', nodes: [{ id }] } },
              ],
            },
          },
        ],
      },
      _entities: [
        { __typename: 'RetouchEditJob', id, cost: { __typename: 'RetouchCost' } },
        { __typename: 'RetouchImage', usedBy: { nodes: [{ id }] } },
        { __typename: 'User', editJobs: { edges: [{ node: { id } }] } },
      ],
    });
    const watch =
      'subscription ($id: ID!) { editJob(id: $id) { __typename editJob { __typename } } }';
    const [event] = await Array.fromAsync(SSE.subscribe(app.url, watch, { id }, PATH));
    expect(event?.data?.editJob).toEqual({
      __typename: 'RetouchEditJobSnapshot',
      editJob: { __typename: 'RetouchEditJob' },
    });
    const standalone = await app.query('query ($id: ID!) { node(id: $id) { __typename } }', { id });
    expect(standalone.data.node).toEqual({ __typename: 'EditJob' });
  });
});
