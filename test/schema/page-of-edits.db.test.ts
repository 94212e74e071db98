import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NO_DRAWING, startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { EDIT } from '../support/operations.ts';
import { png } from '../support/test-images.ts';

/** What a page reads by one statement of its own, and what it leaves to the look-up of an edit. */
const SELECTIONS = [
  'a: inputImages { id } b: inputImages { url width }',
  'prompt { id } again: prompt { text uses }',
  'prompt { a: jobs(first: 1) { nodes { id model } } b: jobs(first: 2) { totalCount nodes { id } } }',
  'outputImages { one: producedBy(first: 1) { nodes { id } } two: producedBy(first: 2) { totalCount nodes { prompt { text } } } }',
  'inputImages { one: usedBy(first: 1) { nodes { id } } two: usedBy(first: 3) { nodes { id outputImages { id } } } }',
  'one: parents(first: 1) { nodes { id } } two: parents(first: 2) { nodes { prompt { text } } } children(first: 1) { totalCount }',
  'owner { id one: editJobs(first: 1) { nodes { id } } two: editJobs(first: 2) { nodes { status } } }',
  'cost { amount priceVersion } again: cost { nominal } usage { totalTokens } more: usage { inputTokensDetails { textTokens } }',
  'attempts { number state } again: attempts { upstream } retryOf { id prompt { text } }',
  'status source model size n quality metadata extraParams upstreamResult { size } error { code } mask { id }',
  '... on Node { __typename id } outputImages { thumbnailUrl(width: 64) large: thumbnailUrl(width: 512) thumbHash }',
];

describe.runIf(hasDatabase)('a page of edits', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp({}, NO_DRAWING);
    const image = await png();
    for (const prompt of ['one', 'two', 'two']) {
      const variables = { input: { images: [{ file: null }], prompt, n: 2, metadata: { a: 1 } } };
      await app.upload(EDIT, variables, { 'input.images.0.file': image });
    }
  });
  afterAll(() => app.stop());

  test.each(SELECTIONS)('has what each edit has by its id: %s', async (selection) => {
    const page = await app.query(`{ editJobs(first: 3) { nodes { id ${selection} } } }`);
    expect(page.errors).toBeUndefined();
    const { nodes } = page.data.editJobs;
    expect(nodes).toHaveLength(3);
    for (const node of nodes) {
      const { data } = await app.query(
        `query ($id: ID!) { editJob(id: $id) { id ${selection} } }`,
        { id: node.id },
      );
      expect(node).toEqual(data.editJob);
    }
  });
});
