import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeGlobalId } from '../../src/public-ids/global-id.ts';
import { INPUT_LIMITS } from '../../src/schema/input-limits.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { historyRow, imageIdOf, insertHistory } from '../support/history-rows.ts';

const EDIT_FIELDS =
  'id model prompt { text } inputImages { id } outputImages { id } attempts { number } parents(first: 0) { totalCount } children(first: 5) { totalCount nodes { id } edges { node { model } } }';
const ENTITIES = `query ($r: [_Any!]!) {
  _entities(representations: $r) { __typename ... on EditJob { ${EDIT_FIELDS} } ... on Image { id bytes } }
}`;
const NODES = `query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on EditJob { ${EDIT_FIELDS} } } }`;

describe.runIf(hasDatabase)('many references', () => {
  let app: TestApp;
  const rows = Array.from({ length: 100 }, (_, at) =>
    historyRow({
      prompt: `prompt ${at}`,
      inputs: [at > 0 ? `out ${at - 1}` : 'in'],
      outputs: [`out ${at}`],
    }),
  );
  const jobs = rows.map(({ id }) => encodeGlobalId('EditJob', id));
  const images = rows.map((_, at) => encodeGlobalId('Image', imageIdOf('local', `out ${at}`)));
  beforeAll(async () => {
    app = await startTestApp();
    await app.withDatabase((prisma) => insertHistory(prisma, rows));
  });
  afterAll(() => app?.stop());

  /** What the operation read, but for what makes thumbnails behind its back. */
  async function ask(path: string, query: string, variables: object) {
    const before = app.logged.length;
    const response = await fetch(`${app.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = await response.json();
    const statements = app.logged
      .slice(before)
      .map((line) => JSON.parse(line).sql as string | undefined)
      .filter((sql) => sql !== undefined && /"id" IN \(|AS asked\(id\)/.test(sql))
      .filter((sql) => !sql?.includes('thumbHash" IS NULL'));
    return { status: response.status, data, errors, statements };
  }
  const entities = (ids: readonly string[], type = 'EditJob') =>
    ask('/graphql/subgraph', ENTITIES, { r: ids.map((id) => ({ __typename: type, id })) });
  const nodes = (ids: readonly string[]) => ask('/graphql', NODES, { ids });

  test.each([
    ['_entities', entities],
    ['nodes', nodes],
  ])('of %s are read by as many statements as one, in their order', async (field, find) => {
    const one = await find(jobs.slice(0, 1));
    const all = await find(jobs);
    expect(all.errors).toBeUndefined();
    expect(all.data[field].map(({ id }: { id: string }) => id)).toEqual(jobs);
    expect(all.data[field][7]).toMatchObject({
      prompt: { text: 'prompt 7' },
      parents: { totalCount: 1 },
    });
    expect(one.statements.length).toBeGreaterThan(0);
    expect(all.statements).toHaveLength(one.statements.length);
  });

  test.each([
    ['_entities', entities],
    ['nodes', nodes],
  ])('of %s that are equal are read once', async (field, find) => {
    const one = await find(jobs.slice(5, 6));
    const same = await find(Array.from({ length: 100 }, () => jobs[5] ?? ''));
    expect(same.data[field]).toEqual(Array(100).fill(one.data[field][0]));
    expect(same.statements.toSorted()).toEqual(one.statements.toSorted());
  });

  test('of several types take a statement more for each, whatever aliases they are under', async () => {
    const query = `query ($jobs: [ID!]!, $images: [ID!]!) {
      ${[1, 2, 3, 4].map((at) => `j${at}: nodes(ids: $jobs) { id } i${at}: nodes(ids: $images) { id }`).join(' ')}
    }`;
    const { data, statements } = await ask('/graphql', query, { jobs, images });
    expect(data.i4).toEqual(images.map((id) => ({ id })));
    expect(data.j4).toEqual(jobs.map((id) => ({ id })));
    expect(statements).toHaveLength(2);
  });

  test('beyond the limit are rejected before any is read', async () => {
    const tooMany = [...jobs, ...jobs.slice(0, 1)];
    for (const find of [entities, nodes]) {
      const { status, data, errors, statements } = await find(tooMany);
      expect({ status, data, statements }).toEqual({
        status: 400,
        data: undefined,
        statements: [],
      });
      expect(errors).toMatchObject([
        { extensions: { code: 'QUERY_TOO_LARGE', most: INPUT_LIMITS.listItems } },
      ]);
    }
    const literal = `{ nodes(ids: ${JSON.stringify(tooMany)}) { id } }`;
    expect(await ask('/graphql', literal, {})).toMatchObject({ status: 400, statements: [] });
  });

  test('under many aliases are rejected together', async () => {
    const query = `query ($ids: [ID!]!) {
      ${Array.from({ length: 100 }, (_, at) => `a${at}: nodes(ids: $ids) { id }`).join(' ')}
    }`;
    const { errors, statements } = await ask('/graphql', query, { ids: jobs });
    expect(errors).toMatchObject([{ extensions: { limit: 'complexity' } }]);
    expect(statements).toEqual([]);
  });
});
