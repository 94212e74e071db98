import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MAX_TREE } from '../../src/edits/lineage/lineage.ts';
import { encodeGlobalId } from '../../src/public-ids/global-id.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { type HistoryRow, historyRow, imageIdOf, insertHistory } from '../support/history-rows.ts';

const JOB = /* GraphQL */ `
  query Job($id: ID!) {
    editJob(id: $id) {
      parents { totalCount nodes { id prompt { text } } } children { totalCount nodes { id } }
      root { id prompt { text } }
      outputImages { producedBy { nodes { id } } usedBy { totalCount nodes { id } } }
      inputImages { producedBy { nodes { id } } usedBy { totalCount nodes { id } } }
    }
  }
`;

const LINEAGE = /* GraphQL */ `
  query Lineage($id: ID!) {
    lineage(id: $id) {
      nodes { id model }
      edges { parentId childId imageId }
      totals { edits succeeded images totalTokens editsWithUsage cost editsWithCost }
      truncated
    }
  }
`;

const idOf = ({ id }: HistoryRow) => encodeGlobalId('EditJob', id);
const ids = (nodes: { id: string }[]) => nodes.map(({ id }) => id);

describe.runIf(hasDatabase)('lineage', () => {
  let app: TestApp;
  const first = historyRow({
    prompt: 'first',
    inputs: ['upload'],
    outputs: ['a', 'b'],
    totalTokens: 10,
    costMicroUsd: 250_000n,
  });
  const left = historyRow({ inputs: ['a'], outputs: ['c'], totalTokens: 5 });
  const right = historyRow({ inputs: ['upload'], mask: 'b', outputs: ['d'], status: 'FAILED' });
  const joined = historyRow({ inputs: ['c', 'd', 'c'], outputs: ['e'], costMicroUsd: 1n });
  /** Brings again what there was before: nobody comes of their own descendants. */
  const again = historyRow({ inputs: ['e'], outputs: ['a'] });
  const deleted = historyRow({ inputs: ['a'], outputs: ['f'], deletedAt: new Date() });
  const orphan = historyRow({ inputs: ['f'], outputs: ['g'] });
  const alone = historyRow({ inputs: ['upload'] });
  const foreignRoot = historyRow({ ownerId: 'somebody-else', outputs: ['a'] });
  const foreign = historyRow({ ownerId: 'somebody-else', inputs: ['a'], outputs: ['z'] });

  beforeAll(async () => {
    app = await startTestApp();
    await app.withDatabase((prisma) =>
      insertHistory(prisma, [
        first,
        left,
        right,
        joined,
        again,
        deleted,
        orphan,
        alone,
        foreignRoot,
        foreign,
      ]),
    );
  });
  afterAll(() => app?.stop());

  async function ask(query: string, row: HistoryRow) {
    const { data, errors } = await app.query(query, { id: idOf(row) });
    expect(errors).toBeUndefined();
    return data;
  }

  test('links an edit with those whose images it edited, and those that edited its own', async () => {
    const top = (await ask(JOB, first)).editJob;
    expect(top).toMatchObject({
      parents: { nodes: [], totalCount: 0 },
      children: { totalCount: 2 },
    });
    expect(ids(top.children.nodes)).toEqual([left, right].map(idOf));
    expect(top.root.prompt.text).toBe('first');
    const bottom = (await ask(JOB, joined)).editJob;
    expect(ids(bottom.parents.nodes)).toEqual([left, right].map(idOf));
    expect(ids(bottom.children.nodes)).toEqual([again].map(idOf));
    expect(bottom).toMatchObject({
      parents: { totalCount: 2 },
      children: { totalCount: 1 },
      root: { id: idOf(first) },
    });
  });

  test('lists the edits that produced an image, and those that used it', async () => {
    const { outputImages, inputImages } = (await ask(JOB, first)).editJob;
    expect(outputImages[0]).toEqual({
      producedBy: { nodes: [first, again].map((row) => ({ id: idOf(row) })) },
      usedBy: { totalCount: 1, nodes: [{ id: idOf(left) }] },
    });
    expect(inputImages[0]).toEqual({
      producedBy: { nodes: [] },
      usedBy: { totalCount: 3, nodes: [first, right, alone].map((row) => ({ id: idOf(row) })) },
    });
  });

  test('shows the whole tree from any of its edits, with what it took in all', async () => {
    const tree = (await ask(LINEAGE, right)).lineage;
    const all = [first, left, right, joined, again];
    expect(ids(tree.nodes)).toEqual(all.map(idOf));
    expect(tree.truncated).toBe(false);
    const edge = (parent: HistoryRow, child: HistoryRow, image: string) => ({
      parentId: idOf(parent),
      childId: idOf(child),
      imageId: encodeGlobalId('Image', imageIdOf('local', image)),
    });
    const edges = [
      edge(first, left, 'a'),
      edge(first, right, 'b'),
      edge(left, joined, 'c'),
      edge(right, joined, 'd'),
      edge(joined, again, 'e'),
    ];
    expect(tree.edges).toHaveLength(edges.length);
    expect(tree.edges).toEqual(expect.arrayContaining(edges));
    expect(tree.totals).toEqual({
      edits: 5,
      succeeded: 4,
      images: 6,
      totalTokens: 15,
      editsWithUsage: 2,
      cost: '0.250001',
      editsWithCost: 2,
    });
    expect((await ask(LINEAGE, joined)).lineage).toEqual(tree);
  });

  test('of an edit without relatives is the edit', async () => {
    const { lineage } = await ask(LINEAGE, alone);
    expect(lineage).toMatchObject({
      nodes: [{ id: idOf(alone) }],
      edges: [],
      totals: { edits: 1, totalTokens: 0, editsWithUsage: 0, cost: '0', editsWithCost: 0 },
    });
    expect((await ask(JOB, alone)).editJob).toMatchObject({ root: { id: idOf(alone) } });
  });

  test('goes not over deleted edits, and not to other owners', async () => {
    expect((await ask(JOB, orphan)).editJob).toMatchObject({
      parents: { nodes: [], totalCount: 0 },
      root: { id: idOf(orphan) },
      inputImages: [{ producedBy: { nodes: [] } }],
    });
    expect(await ask(LINEAGE, deleted)).toEqual({ lineage: null });
    expect(await ask(LINEAGE, foreign)).toEqual({ lineage: null });
  });

  test('asks the database for all edits of a page at once', async () => {
    const query = /* GraphQL */ `
      query Page($first: Int) {
        editJobs(first: $first) {
          nodes { id parents(first: 5) { totalCount nodes { id model } } children { nodes { id } edges { cursor } } root { id } outputImages { usedBy { nodes { id } } } }
        }
      }
    `;
    const statements = async (size: number) => {
      const before = app.logged.length;
      const { errors } = await app.query(query, { first: size });
      expect(errors).toBeUndefined();
      return app.logged.slice(before).filter((line) => /"sql":.*EditJob/.test(line)).length;
    };
    // One each for the page, its edits, their images and the count, two for each of the four lists.
    expect(await statements(7)).toBeLessThanOrEqual(12);
  });

  test('has pages of each list in both directions', async () => {
    const query = /* GraphQL */ `
      query Children($id: ID!, $first: Int, $after: String, $last: Int, $before: String) {
        editJob(id: $id) {
          children(first: $first, after: $after, last: $last, before: $before) {
            nodes { id }
            pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
          }
        }
      }
    `;
    const page = async (variables: object) => {
      const { data, errors } = await app.query(query, { id: idOf(first), ...variables });
      expect(errors).toBeUndefined();
      const { nodes, pageInfo } = data.editJob.children;
      return { ids: ids(nodes), ...pageInfo };
    };
    const oldest = await page({ first: 1 });
    expect(oldest).toMatchObject({ ids: [idOf(left)], hasNextPage: true, hasPreviousPage: false });
    expect(await page({ after: oldest.endCursor })).toMatchObject({
      ids: [idOf(right)],
      hasNextPage: false,
      hasPreviousPage: true,
    });
    const newest = await page({ last: 1 });
    expect(newest).toMatchObject({ ids: [idOf(right)], hasNextPage: false, hasPreviousPage: true });
    expect(await page({ before: newest.startCursor })).toMatchObject({ ids: [idOf(left)] });
  });

  test.each([
    ['a page of 101', 'first: 101', 'first must be from 0 to 100'],
    ['first and last together', 'first: 1, last: 1', 'cannot be combined'],
    ['an invalid cursor', 'after: "nonsense"', 'after'],
  ])('rejects %s of one list, and returns the others', async (_, args, message) => {
    const query = `query ($id: ID!) {
      editJob(id: $id) { id }
      wrong: editJob(id: $id) { children(${args}) { totalCount } }
      right: editJob(id: $id) { children { totalCount } }
    }`;
    const { data, errors } = await app.query(query, { id: idOf(first) });
    expect(errors).toMatchObject([{ message: expect.stringContaining(message) }]);
    expect(data.right).toEqual({ children: { totalCount: 2 } });
  });

  test('reads no page of a list if only its count is selected', async () => {
    const before = app.logged.length;
    await app.query(
      'query ($id: ID!) { editJob(id: $id) { children(first: 0) { totalCount estimatedTotalCount } } }',
      { id: idOf(first) },
    );
    const statements = app.logged.slice(before).filter((line) => /"sql":.*asked\(id\)/.test(line));
    expect(statements).toHaveLength(1);
  });

  test('is cut at its limit, never without the edit that was asked for', async () => {
    const parent = historyRow({ outputs: ['popular'] });
    const children = Array.from({ length: MAX_TREE + 5 }, () =>
      historyRow({ inputs: ['popular'] }),
    );
    await app.withDatabase(async (prisma) => {
      await insertHistory(prisma, [parent]);
      await prisma.editJob.createMany({
        data: children.map(({ prompt, inputs, mask, outputs, ...data }) => ({ ...data, n: 1 })),
      });
      await prisma.editJobImage.createMany({
        data: children.map(({ id: jobId }) => ({
          jobId,
          ownerId: 'local',
          imageId: imageIdOf('local', 'popular'),
          role: 'INPUT' as const,
          position: 0,
        })),
      });
    });
    const last = children.at(-1) ?? parent;
    const { lineage } = await ask(LINEAGE.replace('model', ''), last);
    expect(lineage.truncated).toBe(true);
    expect(lineage.nodes).toHaveLength(MAX_TREE);
    expect(ids(lineage.nodes)).toContain(idOf(last));
    expect((await ask(JOB, parent)).editJob).toMatchObject({
      children: { totalCount: MAX_TREE + 5 },
    });
  });
});
