import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeGlobalId } from '../../src/public-ids/global-id.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { historyRow, imageIdOf, insertHistory } from '../support/history-rows.ts';

const SEARCH = /* GraphQL */ `
  query Search($filter: EditJobFilter, $search: String, $orderBy: EditJobOrder, $first: Int, $last: Int, $after: String, $before: String) {
    editJobs(filter: $filter, search: $search, orderBy: $orderBy, first: $first, last: $last, after: $after, before: $before) {
      totalCount
      estimatedTotalCount
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      edges { cursor node { id model durationMs } }
    }
  }
`;

const FULL_PAGE = /* GraphQL */ `
  query FullPage($first: Int) {
    editJobs(first: $first, search: "prompt", orderBy: { field: COST }) {
      totalCount
      edges {
        node {
          id status
          prompt { text uses }
          inputImages { id url } mask { id } outputImages { id url } partialImages { id }
          usage { totalTokens }
          cost { amount priceVersion }
          error { code }
          attempts { number state }
          parents(first: 0) { totalCount } children(first: 0) { totalCount }
        }
      }
    }
  }
`;

const GALLERY = /* GraphQL */ `
  query Gallery($first: Int) {
    editJobs(first: $first) {
      edges { node { ...Shown } }
      nodes { ...Shown }
    }
  }
  fragment Shown on EditJob {
    __typename id status model metadata createdAt durationMs
    prompt { id text }
    alias: inputImages { width }
    inputImages { id url thumbHash }
    mask { id }
    outputImages { id thumbnailUrl }
    inputs { role sentSha256 image { id } }
    usage { totalTokens inputTokensDetails { textTokens } }
    cost { amount priceVersion }
    error { code message }
    attempts { number state }
  }
`;

const ON_HISTORY =
  /"(EditJob|EditJobImage|EditAttempt|Image|Prompt|PromptSearch|TokenUsage|Charge)"/;

const toNode = ({ node }: { node: object }) => node;

const image = (name: string) => encodeGlobalId('Image', imageIdOf('local', name));

describe.runIf(hasDatabase)('queries of the history', () => {
  let app: TestApp;
  const start = new Date('2026-02-01T00:00:00Z');
  const plain = historyRow({ model: 'plain', prompt: 'a plain prompt', createdAt: start });
  const rich = historyRow({
    model: 'rich',
    prompt: '把背景换成秋天',
    createdAt: new Date('2026-02-02T00:00:00Z'),
    startedAt: new Date('2026-02-02T00:00:01Z'),
    finishedAt: new Date('2026-02-02T00:00:03.5Z'),
    status: 'FAILED',
    size: 'source',
    resolvedSize: '1536x1024',
    quality: 'high',
    upstream: 'relay',
    sandbox: true,
    totalTokens: 100,
    costMicroUsd: 42_300n,
    errorCode: 'TIMEOUT',
    metadata: { project: 'x', urgent: true },
    inputs: ['dog'],
    mask: 'hole',
    outputs: ['cat'],
  });
  const foreign = historyRow({ ...rich, id: crypto.randomUUID(), ownerId: 'somebody-else' });
  const many = Array.from({ length: 100 }, (_, at) =>
    historyRow({
      model: 'one of many',
      prompt: `prompt ${at % 10}`,
      createdAt: new Date(Date.UTC(2026, 0, 1, 0, at)),
      inputs: [`in ${at}`, at > 0 ? `out ${at - 1}` : 'in'],
      mask: 'hole',
      outputs: [`out ${at}`],
      totalTokens: at,
      costMicroUsd: BigInt(at),
    }),
  );

  beforeAll(async () => {
    app = await startTestApp();
    await app.withDatabase((prisma) => insertHistory(prisma, [...many, plain, rich, foreign]));
  });
  afterAll(() => app?.stop());

  async function models(variables: object): Promise<string[]> {
    const { data, errors } = await app.query(SEARCH, variables);
    expect(errors).toBeUndefined();
    return data.editJobs.edges.map(({ node }: { node: { model: string } }) => node.model);
  }

  test.each<[string, object]>([
    ['size, as asked for', { size: ['source'] }],
    ['size, as sent', { size: ['1536x1024'] }],
    ['quality', { quality: ['HIGH'] }],
    ['upstream', { upstream: ['relay', 'another'] }],
    ['sandbox', { sandbox: true }],
    ['finishedAt', { finishedAt: { from: '2026-02-02T00:00:03Z', to: '2026-02-02T00:00:04Z' } }],
    ['tokens', { totalTokens: { min: 100, max: 100 } }],
    ['cost', { cost: { min: '0.0423', max: '0.0423' } }],
    ['errorCode', { errorCode: ['TIMEOUT'] }],
    ['hasError', { hasError: true }],
    ['metadata', { metadata: { project: 'x' } }],
    ['metadata of another type', { metadata: { urgent: true } }],
    ['an input picture', { inputImageId: image('dog') }],
    ['an output picture', { outputImageId: image('cat') }],
    ['several', { cost: { min: '0.001' }, status: ['FAILED'], inputImageId: image('dog') }],
  ])('filters by %s', async (_, filter) => {
    expect(await models({ filter })).toEqual(['rich']);
    expect(await models({ filter, search: '背景', orderBy: { field: 'COST' } })).toEqual(['rich']);
    expect(await models({ filter: { ...filter, model: ['plain'] } })).toEqual([]);
  });

  test('takes a mask for an input, and images and prompts of others for absent', async () => {
    const filter = { inputImageId: image('hole'), hasError: true };
    expect(await models({ filter })).toEqual(['rich']);
    const foreignImage = encodeGlobalId('Image', imageIdOf('somebody-else', 'dog'));
    expect(await models({ filter: { inputImageId: foreignImage } })).toEqual([]);
    expect(await models({ filter: { outputImageId: foreignImage } })).toEqual([]);
    const nobody = encodeGlobalId('Prompt', '01a205a7-0f22-7380-b842-5317ba207d91');
    expect(await models({ filter: { promptId: nobody } })).toEqual([]);
  });

  test('tells durations as it orders by them', async () => {
    const { data } = await app.query(SEARCH, { orderBy: { field: 'DURATION' }, first: 1 });
    expect(data.editJobs.edges[0].node).toMatchObject({ model: 'rich', durationMs: 2_500 });
  });

  test('pages from the end, and says where it is', async () => {
    const end = (await app.query(SEARCH, { last: 2 })).data.editJobs;
    expect(end.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
    expect(end.totalCount).toBe(102);
    expect(end.estimatedTotalCount).toBe(102);
    const before = (await app.query(SEARCH, { last: 100, before: end.edges[0].cursor })).data;
    expect(before.editJobs.edges).toHaveLength(100);
    expect(before.editJobs.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
    const none = (await app.query(SEARCH, { first: 0 })).data.editJobs;
    expect(none).toMatchObject({
      edges: [],
      totalCount: 102,
      pageInfo: { hasNextPage: true, endCursor: null },
    });
  });

  test.each<[string, object, string]>([
    ['first and last together', { first: 1, last: 1 }, 'cannot be combined'],
    ['a page of 101', { first: 101 }, 'first must be from 0 to 100'],
    ['a cursor that is none', { after: 'nonsense' }, 'after is not a valid cursor'],
    ['a date that is none', { after: cursor('2026-99-99 00:00:00+00') }, 'not valid'],
    [
      'a cursor of another order',
      { before: cursor('5', 'COST') },
      'COST DESC, not for CREATED_AT DESC',
    ],
    [
      'a cost finer than a millionth',
      { filter: { cost: { min: '0.0000001' } } },
      'filter.cost.min',
    ],
    ['a NUL character', { search: 'a\u0000b' }, 'not valid'],
    ['a term that is too long', { search: 'x'.repeat(1_001) }, 'at most 1000 characters'],
  ])('refuses %s as the client’s mistake', async (_, variables, message) => {
    const { errors } = await app.query(SEARCH, variables);
    expect(errors?.[0]?.extensions?.['code']).toBe('BAD_USER_INPUT');
    expect(errors?.[0]?.message).toContain(message);
  });

  /** The statements on the history since a line of the log. */
  const statementsSince = (line: number) =>
    app.logged
      .slice(line)
      .map((one) => JSON.parse(one).sql as string | undefined)
      .filter((sql) => sql !== undefined && ON_HISTORY.test(sql))
      .filter((sql) => !sql?.includes('thumbHash" IS NULL'));

  test('shows a gallery by one statement, whatever the length of its page', async () => {
    for (const first of [1, 100]) {
      const before = app.logged.length;
      const { data, errors } = await app.query(GALLERY, { first });
      expect(errors).toBeUndefined();
      expect(data.editJobs.edges).toHaveLength(first);
      expect(data.editJobs.nodes).toEqual(data.editJobs.edges.map(toNode));
      expect(data.editJobs.nodes[0]).toMatchObject({
        model: 'rich',
        durationMs: 2_500,
        prompt: { text: '把背景换成秋天' },
        alias: [{ width: 1 }],
        inputImages: [{ id: image('dog') }],
        mask: { id: image('hole') },
        outputImages: [{ id: image('cat') }],
        usage: { totalTokens: 100 },
        cost: { amount: '0.0423' },
        error: { code: 'TIMEOUT' },
        inputs: [{ image: { id: image('dog') } }, { image: { id: image('hole') } }],
      });
      expect(statementsSince(before)).toHaveLength(1);
    }
  });

  test('shows a page of 100 edits with all that belongs to them by six statements', async () => {
    const before = app.logged.length;
    const { data, errors } = await app.query(FULL_PAGE, { first: 100 });
    expect(errors).toBeUndefined();
    expect(data.editJobs.edges).toHaveLength(100);
    expect(data.editJobs.edges[50].node).toMatchObject({
      parents: { totalCount: 1 },
      children: { totalCount: 1 },
    });
    const statements = statementsSince(before);
    expect(statements.length).toBeGreaterThan(0);
    expect(statements.length, statements.join('\n')).toBeLessThanOrEqual(6);
  });
});

function cursor(key: string, field = 'CREATED_AT'): string {
  const id = '01a205a7-0f22-7380-b842-5317ba207d91';
  return Buffer.from(JSON.stringify([1, field, 'DESC', key, id])).toString('base64url');
}
