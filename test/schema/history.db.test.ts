import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { insertForeignRows } from '../support/foreign-rows.ts';
import { EDIT } from '../support/operations.ts';
import { jpeg, mask, png } from '../support/test-images.ts';

const PAGE = /* GraphQL */ `
  query Page($first: Int, $after: String, $last: Int, $before: String, $filter: EditJobFilter) {
    editJobs(first: $first, after: $after, last: $last, before: $before, filter: $filter) {
      totalCount
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      edges { cursor node { id status model prompt { text } } }
    }
  }
`;

const EVERYTHING = /* GraphQL */ `
  query Everything($first: Int) {
    editJobs(first: $first) {
      edges {
        node {
          id status createdAt durationMs metadata
          prompt { id text }
          inputImages { id url thumbnailUrl thumbHash width }
          mask { id url }
          outputImages { id url format bytes }
          usage { totalTokens inputTokensDetails { textTokens } }
          error { code message upstreamRequestId }
          attempts { number state }
        }
      }
    }
  }
`;

interface Edge {
  node: { id: string; status: string; prompt: { text: string } };
}

describe.runIf(hasDatabase)('the history', () => {
  let app: TestApp;
  let start: string;
  const jobs: { id: string; prompt: string }[] = [];

  beforeAll(async () => {
    app = await startTestApp();
    start = new Date().toISOString();
    const first = await png(64, 48);
    const second = await jpeg(30, 30);
    const hole = await mask(64, 48);
    for (let i = 1; i <= 7; i++) {
      if (i === 3) app.sandbox.faults.push({ kind: 'moderation' });
      const model = i === 5 ? 'gpt-image-1.5' : 'gpt-image-1';
      const { data } = await app.upload(
        EDIT,
        {
          input: {
            images: [{ file: null }, { file: null }],
            mask: { file: null },
            prompt: `prompt ${i}`,
            model,
            quality: 'LOW',
            outputFormat: 'JPEG',
          },
        },
        { 'input.images.0.file': first, 'input.images.1.file': second, 'input.mask.file': hole },
      );
      jobs.push({ id: data.editImage.editJob.id, prompt: `prompt ${i}` });
    }
  });
  afterAll(() => app?.stop());

  const prompts = (edges: Edge[]) => edges.map(({ node }) => node.prompt.text);
  async function page(variables: object) {
    const { data, errors } = await app.query(PAGE, variables);
    expect(errors).toBeUndefined();
    return data.editJobs;
  }

  test('pages through all edits, newest first, each once, in both directions', async () => {
    const first = await page({ first: 3 });
    expect(first.totalCount).toBe(7);
    expect(prompts(first.edges)).toEqual(['prompt 7', 'prompt 6', 'prompt 5']);
    expect(first.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
    const second = await page({ first: 3, after: first.pageInfo.endCursor });
    expect(prompts(second.edges)).toEqual(['prompt 4', 'prompt 3', 'prompt 2']);
    const third = await page({ first: 3, after: second.pageInfo.endCursor });
    expect(prompts(third.edges)).toEqual(['prompt 1']);
    expect(third.pageInfo.hasNextPage).toBe(false);
    const back = await page({ last: 2, before: second.pageInfo.startCursor });
    expect(prompts(back.edges)).toEqual(['prompt 6', 'prompt 5']);
  });

  test('filters by status, model and creation time, and counts what it filtered', async () => {
    const failed = await page({ filter: { status: ['FAILED'] } });
    expect(prompts(failed.edges)).toEqual(['prompt 3']);
    expect(failed.totalCount).toBe(1);
    const model = await page({ filter: { model: ['gpt-image-1.5'], status: ['SUCCEEDED'] } });
    expect(prompts(model.edges)).toEqual(['prompt 5']);
    const since = await page({ filter: { createdAt: { from: start } } });
    expect(since.totalCount).toBe(7);
    const before = await page({ filter: { createdAt: { to: start } } });
    expect(before.totalCount).toBe(0);
  });

  // But for what makes the thumbnails behind the edits' back.
  test('asks the database as often for seven edits as for one', async () => {
    const count = async (first: number) => {
      const before = app.logged.length;
      const { errors } = await app.query(EVERYTHING, { first });
      expect(errors).toBeUndefined();
      return app.logged
        .slice(before)
        .filter((line) =>
          /"sql":"SELECT (page\.|\\"(public|t\d+)\\")(?!.*thumbHash\\" IS NULL)/.test(line),
        ).length;
    };
    // The fewest of some: other work can only add to them.
    const statements = async (first: number) =>
      Math.min(await count(first), await count(first), await count(first));
    const one = await statements(1);
    expect(one).toBeGreaterThan(0);
    expect(await statements(7)).toBe(one);
    expect(one).toBeLessThanOrEqual(6);
  });

  test('finds an edit and an image by id, and any node by its global id', async () => {
    const id = jobs[0]?.id;
    const { data } = await app.query(
      `query($id: ID!) {
        editJob(id: $id) { id inputImages { id } mask { id } }
        node(id: $id) { __typename id }
      }`,
      { id },
    );
    expect(data.editJob.id).toBe(id);
    expect(data.editJob.inputImages).toHaveLength(2);
    expect(data.node).toEqual({ __typename: 'EditJob', id });
    const image = data.editJob.mask.id;
    const nodes = await app.query(
      'query($ids: [ID!]!, $image: ID!) { nodes(ids: $ids) { __typename id } image(id: $image) { id b64Json bytes } }',
      { ids: [image, id], image },
    );
    expect(nodes.data.nodes.map((node: { __typename: string }) => node.__typename)).toEqual([
      'Image',
      'EditJob',
    ]);
    expect(Buffer.from(nodes.data.image.b64Json, 'base64')).toHaveLength(nodes.data.image.bytes);
  });

  test('an id of nothing is null, and so is a malformed one', async () => {
    const nobody = Buffer.from('EditJob:01a205a7-0f22-7380-b842-5317ba207d91').toString(
      'base64url',
    );
    const { data } = await app.query(
      'query($id: ID!) { editJob(id: $id) { id } node(id: $id) { id } }',
      {
        id: nobody,
      },
    );
    expect(data).toEqual({ editJob: null, node: null });
    const malformed = await app.query('{ editJob(id: "%%%") { id } }');
    expect(malformed).toMatchObject({ data: { editJob: null } });
    expect(malformed.errors).toBeUndefined();
  });

  test('another owner’s rows look absent everywhere', async () => {
    const foreign = await insertForeignRows(app);
    const { data } = await app.query(
      'query($job: ID!, $image: ID!, $prompt: ID!) { editJob(id: $job) { id } image(id: $image) { id } a: node(id: $job) { id } b: node(id: $image) { id } c: node(id: $prompt) { id } editJobs { totalCount } }',
      foreign,
    );
    expect(data).toEqual({
      editJob: null,
      image: null,
      a: null,
      b: null,
      c: null,
      editJobs: { totalCount: 7 },
    });
    const picture = await fetch(`${app.url}/images/${foreign.image}`);
    expect(picture.status).toBe(404);
    await picture.body?.cancel();
    const edit = await app.query(EDIT, { input: { images: [{ id: foreign.image }], prompt: 'p' } });
    expect(edit.data.editImage.__typename).toBe('NotFoundError');
  });

  test('lists the models it knows, the default among them', async () => {
    const { data } = await app.query(
      '{ models { id isDefault sizes flexibleSizes { multipleOf } maxImages } }',
    );
    const byDefault = data.models.filter((model: { isDefault: boolean }) => model.isDefault);
    expect(byDefault).toMatchObject([{ id: 'gpt-image-1', maxImages: 16 }]);
  });
});
