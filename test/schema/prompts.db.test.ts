import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { historyRow, insertHistory } from '../support/history-rows.ts';

const PROMPTS = /* GraphQL */ `
  query Prompts($search: String, $orderBy: PromptOrder, $first: Int, $last: Int, $after: String, $before: String) {
    prompts(search: $search, orderBy: $orderBy, first: $first, last: $last, after: $after, before: $before) {
      totalCount
      estimatedTotalCount
      pageInfo { hasNextPage endCursor startCursor }
      edges { node { id text } }
    }
  }
`;

const FULL = /* GraphQL */ `
  {
    prompts {
      edges {
        node {
          text uses firstUsedAt lastUsedAt
          jobs(first: 2) { totalCount nodes { model prompt { text } } pageInfo { hasNextPage endCursor } }
          totals { edits succeeded totalTokens editsWithUsage cost editsWithCost successRate }
        }
      }
    }
  }
`;

const at = (minute: number) => new Date(Date.UTC(2027, 0, 1, 0, minute));

describe.runIf(hasDatabase)('prompts', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startTestApp();
    const rows = [
      historyRow({
        prompt: 'often',
        model: 'm1',
        createdAt: at(1),
        totalTokens: 10,
        costMicroUsd: 1_500_000n,
      }),
      historyRow({ prompt: 'often', model: 'm2', createdAt: at(2), status: 'FAILED' }),
      historyRow({ prompt: 'once: 秋天', model: 'm3', createdAt: at(3), status: 'QUEUED' }),
      historyRow({ prompt: 'often', model: 'm4', createdAt: at(4), totalTokens: 5 }),
      historyRow({ prompt: 'twice', createdAt: at(5) }),
      historyRow({ prompt: 'twice', createdAt: at(6) }),
      historyRow({ prompt: 'theirs', ownerId: 'somebody-else' }),
    ];
    await app.withDatabase((prisma) => insertHistory(prisma, rows));
  });
  afterAll(() => app?.stop());

  async function texts(variables: object): Promise<string[]> {
    const { data, errors } = await app.query(PROMPTS, variables);
    expect(errors).toBeUndefined();
    return data.prompts.edges.map(({ node }: { node: { text: string } }) => node.text);
  }

  test('are one for each text, with their uses, their newest edits and what those took', async () => {
    const { data, errors } = await app.query(FULL);
    expect(errors).toBeUndefined();
    const [twice, often, once] = data.prompts.edges.map((edge: { node: object }) => edge.node);
    expect(twice).toMatchObject({ text: 'twice', uses: 2 });
    expect(often).toMatchObject({
      text: 'often',
      uses: 3,
      lastUsedAt: at(4).toISOString(),
      jobs: {
        totalCount: 3,
        nodes: [{ model: 'm4', prompt: { text: 'often' } }, { model: 'm2' }],
        pageInfo: { hasNextPage: true },
      },
      totals: {
        edits: 3,
        succeeded: 2,
        totalTokens: 15,
        editsWithUsage: 2,
        cost: '1.5',
        editsWithCost: 1,
        successRate: 2 / 3,
      },
    });
    expect(once.totals).toMatchObject({
      totalTokens: 0,
      editsWithUsage: 0,
      cost: '0',
      editsWithCost: 0,
      successRate: null,
    });
    expect(data.prompts.edges).toHaveLength(3);
  });

  test('are ordered by last use, first use and uses, both ways', async () => {
    const by = (field: string, direction = 'DESC') => texts({ orderBy: { field, direction } });
    expect(await texts({})).toEqual(['twice', 'often', 'once: 秋天']);
    expect(await by('LAST_USE', 'ASC')).toEqual(['once: 秋天', 'often', 'twice']);
    expect(await by('USES')).toEqual(['often', 'twice', 'once: 秋天']);
    expect(await by('USES', 'ASC')).toEqual(['once: 秋天', 'twice', 'often']);
    expect((await by('FIRST_USE')).toSorted()).toEqual((await texts({})).toSorted());
  });

  test('come in pages, and are searched', async () => {
    const first = (await app.query(PROMPTS, { first: 2 })).data.prompts;
    expect(first.pageInfo.hasNextPage).toBe(true);
    expect(first).toMatchObject({ totalCount: 3, estimatedTotalCount: 3 });
    expect(await texts({ first: 2, after: first.pageInfo.endCursor })).toEqual(['once: 秋天']);
    expect(await texts({ last: 1, before: first.pageInfo.endCursor })).toEqual(['twice']);
    expect(await texts({ search: '秋天' })).toEqual(['once: 秋天']);
    expect(await texts({ search: 'TWICE' })).toEqual(['twice']);
    expect(await texts({ search: 'theirs' })).toEqual([]);
  });

  test('are counted as they are searched for, on all pages', async () => {
    const count = async (search: string) => {
      const { data } = await app.query(PROMPTS, { search, first: 1 });
      return data.prompts.totalCount;
    };
    expect(await count('TWICE')).toBe(1);
    expect(await count('o')).toBe(2);
    expect(await count('theirs')).toBe(0);
  });

  test('have pages of their edits in both directions', async () => {
    const query = `query ($id: ID!, $first: Int, $after: String, $last: Int, $before: String) {
      node(id: $id) { ... on Prompt {
        jobs(first: $first, after: $after, last: $last, before: $before) {
          edges { cursor node { model } } pageInfo { hasNextPage hasPreviousPage }
        }
      } }
    }`;
    const { data } = await app.query(PROMPTS, { search: 'often' });
    const { id } = data.prompts.edges[0].node;
    const page = async (variables: object) => {
      const { data, errors } = await app.query(query, { id, ...variables });
      expect(errors).toBeUndefined();
      const { edges, pageInfo } = data.node.jobs;
      const models = edges.map(({ node }: { node: { model: string } }) => node.model);
      return { models, pageInfo, cursor: edges[0]?.cursor };
    };
    const newest = await page({ first: 1 });
    expect(newest).toMatchObject({ models: ['m4'], pageInfo: { hasNextPage: true } });
    const older = await page({ after: newest.cursor });
    expect(older).toMatchObject({ models: ['m2', 'm1'], pageInfo: { hasNextPage: false } });
    const oldest = await page({ last: 1 });
    expect(oldest).toMatchObject({ models: ['m1'], pageInfo: { hasPreviousPage: true } });
    expect(await page({ last: 5, before: oldest.cursor })).toMatchObject({ models: ['m4', 'm2'] });
  });

  test('take no cursor of another order', async () => {
    const { data } = await app.query(PROMPTS, { first: 1 });
    const after = data.prompts.pageInfo.endCursor;
    const { errors } = await app.query(PROMPTS, { after, orderBy: { field: 'USES' } });
    expect(errors?.[0]?.message).toContain('LAST_USE DESC, not for USES DESC');
  });

  test('lead to all of their edits by the filter promptId', async () => {
    const { data } = await app.query(PROMPTS, { search: 'often' });
    const query = `query($id: ID!) {
      editJobs(filter: { promptId: $id }) { totalCount edges { node { model } } }
      node(id: $id) { ... on Prompt { text uses } }
    }`;
    const found = await app.query(query, { id: data.prompts.edges[0].node.id });
    expect(found.data.editJobs.totalCount).toBe(3);
    expect(found.data.node).toEqual({ text: 'often', uses: 3 });
  });
});
