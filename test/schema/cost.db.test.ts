import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PrismaClient } from '../../src/database/database.ts';
import { NO_DRAWING, startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { EDIT } from '../support/operations.ts';
import { png } from '../support/test-images.ts';

const COST = 'amount priceVersion nominal';
const COSTS = /* GraphQL */ `{
  editJobs(first: 100) {
    edges { node {
      id model status
      cost { ${COST} }
      charges { cost { ${COST} } createdAt supersededAt }
      usage { totalTokens inputTokens outputTokens inputTokensDetails { textTokens imageTokens } }
    } }
  }
}`;
const REPRICE = /* GraphQL */ `
  mutation Reprice($input: RepriceJobsInput!) {
    repriceJobs(input: $input) {
      ... on RepriceJobsPayload { examined repriced unchanged unknown endCursor }
      ... on InvalidInputError { field code }
      ... on NotFoundError { resource id }
    }
  }
`;
const ESTIMATE = /* GraphQL */ `
  query Estimate($input: EstimateEditInput!) {
    estimateEdit(input: $input) {
      __typename
      ... on EditEstimate {
        model resolvedSize textInputTokens imageInputTokens
        outputTokens { min max } totalTokens { min max }
        cost { ${COST} } costAtLeast { amount } costAtMost { amount } gaps
      }
      ... on InvalidInputError { field code }
      ... on NotFoundError { resource id }
    }
  }
`;

const PUBLISHED = 'openai-gpt-image-1-2025-04';
const prices = (version: string, from: string, imageOutput: string) => ({
  version,
  from,
  source: 'https://prices.example/',
  usdPerMillionTokens: { textInput: '1', imageInput: '1', imageOutput },
});

/** The size that the sandbox takes every input for when it does not draw. */
const INPUT = { width: 1_024, height: 1_024 };

describe.runIf(hasDatabase)('costs', () => {
  let app: TestApp;
  let dir: string;
  let inUse = '{}';

  /** A price list takes a start. */
  async function usePrices(content: object, restart = () => app.restart()): Promise<void> {
    const text = JSON.stringify(content);
    if (text === inUse) return;
    inUse = text;
    await writeFile(join(dir, 'prices.json'), text);
    await restart();
  }

  const edit = async (input: object = {}) => {
    const { data } = await app.upload(
      EDIT,
      { input: { images: [{ file: null }], prompt: 'a red hat', quality: 'LOW', ...input } },
      { 'input.images.0.file': await png(INPUT.width, INPUT.height) },
    );
    return data.editImage.editJob;
  };
  const jobs = async () => {
    const { data, errors } = await app.query(COSTS);
    expect(errors).toBeUndefined();
    return data.editJobs.edges.map(({ node }: { node: object }) => node);
  };
  const jobOf = async ({ id }: { id: string }) =>
    (await jobs()).find((job: { id: string }) => job.id === id);
  const reprice = async (input: object = {}) => {
    const { data, errors } = await app.query(REPRICE, { input });
    expect(errors).toBeUndefined();
    return data.repriceJobs;
  };

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'retouch-prices-'));
    await writeFile(join(dir, 'prices.json'), inUse);
    app = await startTestApp({ PRICES_FILE: join(dir, 'prices.json') }, NO_DRAWING);
  });
  afterAll(async () => {
    await app?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  test('are the tokens at the published prices, and name their version', async () => {
    await usePrices({});
    const job = await jobOf(await edit());
    const { textTokens, imageTokens } = job.usage.inputTokensDetails;
    const microUsd = textTokens * 5 + imageTokens * 10 + job.usage.outputTokens * 40;
    const cost = { priceVersion: PUBLISHED, nominal: false };
    expect(job.cost).toMatchObject(cost);
    expect(Number(job.cost.amount) * 1e6).toBeCloseTo(microUsd, 3);
    expect(job.charges).toEqual([
      { cost: job.cost, createdAt: expect.any(String), supersededAt: null },
    ]);
  });

  test('are null when a price, the tokens or the outcome are unknown, never 0', async () => {
    await usePrices({});
    const unknownModel = await edit({ model: 'house-model' });
    app.sandbox.faults.push({ kind: 'no_usage' });
    const noUsage = await edit();
    app.sandbox.faults.push({ kind: 'moderation' });
    const refused = await edit();
    expect((await jobOf(unknownModel)).usage.totalTokens).toBeGreaterThan(0);
    expect(refused.status).toBe('FAILED');
    for (const job of [unknownModel, noUsage, refused]) {
      expect(await jobOf(job)).toMatchObject({ cost: null, charges: [] });
    }
  });

  test('of a page of edits take no statement for each', async () => {
    await edit();
    const statements = async () => {
      const before = app.logged.length;
      await jobs();
      return app.logged.slice(before).filter((line) => /"sql":"SELECT.*Charge/.test(line)).length;
    };
    const some = await statements();
    for (let i = 0; i < 4; i += 1) await edit();
    expect(await statements()).toBe(some);
    expect(some).toBe(1);
  });

  test('are computed anew by today’s prices as of each edit’s time; old charges are kept', async () => {
    await usePrices({});
    const job = await edit();
    const { cost: old, usage } = await jobOf(job);
    await usePrices({
      'gpt-image-1': [prices('before', '2020-01-01', '2.5'), prices('later', '2999-01-01', '9')],
    });
    const counts = await reprice({ model: 'gpt-image-1' });
    expect(counts).toMatchObject({ unchanged: 0, unknown: 0, endCursor: null });
    expect(counts.repriced).toBe(counts.examined);
    const { cost, charges } = await jobOf(job);
    const microUsd = usage.inputTokens + usage.outputTokens * 2.5;
    expect(cost).toMatchObject({ priceVersion: 'before', nominal: false });
    expect(Number(cost.amount) * 1e6).toBeCloseTo(Math.round(microUsd), 3);
    expect(charges).toEqual([
      { cost: old, createdAt: expect.any(String), supersededAt: expect.any(String) },
      { cost, createdAt: expect.any(String), supersededAt: null },
    ]);
    const again = { ...counts, repriced: 0, unchanged: counts.repriced };
    expect(await reprice({ model: 'gpt-image-1' })).toEqual(again);
    expect((await jobOf(job)).charges).toEqual(charges);
  });

  test('that today’s prices do not tell stay as they were', async () => {
    await usePrices({});
    const job = await edit();
    const before = await jobOf(job);
    await usePrices({ 'gpt-image-1': [] });
    const counts = await reprice({ model: 'gpt-image-1' });
    expect(counts).toMatchObject({ repriced: 0, unchanged: 0, unknown: counts.examined });
    expect(await jobOf(job)).toEqual(before);
  });

  test('that were unknown are told once there is a price', async () => {
    const job = await edit({ model: 'late-model' });
    expect((await jobOf(job)).cost).toBeNull();
    await usePrices({ 'late-model': [prices('late', '2020-01-01', '1')] });
    const counts = { examined: 1, repriced: 1, unchanged: 0, unknown: 0, endCursor: null };
    expect(await reprice({ model: 'late-model' })).toEqual(counts);
    expect((await jobOf(job)).cost).toMatchObject({ priceVersion: 'late' });
  });

  test('computed anew by several calls at once get one new charge each', async () => {
    await Promise.all(Array.from({ length: 6 }, () => edit({ model: 'twice' })));
    await usePrices({ twice: [prices('one', '2020-01-01', '1')] });
    const both = await Promise.all([1, 2, 3].map(() => reprice({ model: 'twice' })));
    expect(both.reduce((sum, { repriced }) => sum + repriced, 0)).toBe(6);
    const twice = (await jobs()).filter(({ model }: { model: string }) => model === 'twice');
    expect(twice).toHaveLength(6);
    for (const { charges } of twice) expect(charges).toHaveLength(1);
  });

  test('of more edits than one batch, deleted ones, take the same statements for each batch', async () => {
    const insert = async (prisma: PrismaClient) => {
      await prisma.$executeRaw`
        INSERT INTO "EditJob" (
          id, "ownerId", status, sandbox, model, size, "resolvedSize", n, "startedAt", "deletedAt"
        )
        SELECT gen_random_uuid(), 'somebody', 'SUCCEEDED', false, 'many', 's', 's', 1, now(), now()
        FROM generate_series(1, 1200)`;
      await prisma.$executeRaw`
        INSERT INTO "TokenUsage" ("jobId", "ownerId", "totalTokens", "inputTokens", "outputTokens", raw)
        SELECT id, "ownerId", 7, 0, 7, '{}' FROM "EditJob" WHERE model = 'many'`;
    };
    await usePrices({ many: [prices('m', '2020-01-01', '3')] }, () => app.withDatabase(insert));
    const before = app.logged.length;
    const counts = await reprice({ model: 'many' });
    expect(counts).toMatchObject({ examined: 1_200, repriced: 1_200, endCursor: null });
    const updates = app.logged
      .slice(before)
      .filter((line) => /UPDATE \\"(\w+\\"\.\\")?(Charge|EditJob)/.test(line));
    expect(updates).toHaveLength(3 * 2);
    const costs = await app.withDatabase((prisma) =>
      prisma.editJob.groupBy({ by: ['costMicroUsd'], where: { model: 'many' }, _count: true }),
    );
    expect(costs).toEqual([{ costMicroUsd: 21n, _count: 1_200 }]);
  });

  test('are computed anew in parts, within a span, and of one model', async () => {
    const some = await Promise.all(Array.from({ length: 3 }, () => edit({ model: 'parts' })));
    await usePrices({ parts: [prices('p', '2020-01-01', '1')] });
    const first = await reprice({ model: 'parts', limit: 2 });
    expect(first).toMatchObject({ examined: 2, repriced: 2, endCursor: expect.any(String) });
    const rest = await reprice({ model: 'parts', limit: 2, after: first.endCursor });
    expect(rest).toMatchObject({ examined: 1, repriced: 1, endCursor: null });
    const { createdAt } = some[0];
    expect(await reprice({ to: '2020-01-01T00:00:00Z' })).toMatchObject({ examined: 0 });
    expect((await reprice({ model: 'parts', from: createdAt })).examined).toBeGreaterThan(0);
    expect(await reprice({ limit: 0 })).toEqual({ field: 'limit', code: 'TOO_SMALL' });
    expect(await reprice({ after: 'nothing' })).toEqual({ resource: 'EditJob', id: 'nothing' });
  });

  test('estimated before are those of the edit after, by an image’s size or its id', async () => {
    await usePrices({});
    const asked = { prompt: 'a red hat', quality: 'HIGH', inputFidelity: 'HIGH', size: 'source' };
    const done = await edit(asked);
    const job = await jobOf(done);
    const [{ id }] = done.inputImages;
    for (const image of [{ id }, { dimensions: INPUT }]) {
      const { data, errors } = await app.query(ESTIMATE, { input: { ...asked, images: [image] } });
      expect(errors).toBeUndefined();
      expect(data.estimateEdit).toMatchObject({
        __typename: 'EditEstimate',
        model: 'gpt-image-1',
        resolvedSize: done.resolvedSize,
        textInputTokens: job.usage.inputTokensDetails.textTokens,
        imageInputTokens: job.usage.inputTokensDetails.imageTokens,
        totalTokens: { min: job.usage.totalTokens, max: job.usage.totalTokens },
        cost: job.cost,
        costAtLeast: { amount: job.cost.amount },
        costAtMost: { amount: job.cost.amount },
        gaps: [],
      });
    }
  });

  test('estimated with what cannot be known say what, and with what is wrong are refused', async () => {
    const ask = async (input: object) => {
      const images = [{ dimensions: { width: 64, height: 64 } }];
      const { data } = await app.query(ESTIMATE, { input: { images, prompt: 'a', ...input } });
      return data.estimateEdit;
    };
    expect(await ask({ model: 'gpt-image-2', quality: 'LOW' })).toMatchObject({
      imageInputTokens: null,
      outputTokens: { min: 196, max: 196 },
      totalTokens: null,
      cost: null,
      costAtLeast: { amount: expect.any(String) },
      costAtMost: null,
      gaps: ['INPUT_TOKENS_NOT_PUBLISHED'],
    });
    expect(await ask({ n: 11 })).toMatchObject({ field: 'n', code: 'TOO_LARGE' });
    expect(await ask({ images: [{ dimensions: { width: 0, height: 1 } }] })).toMatchObject({
      field: 'images[0].dimensions.width',
    });
    const missing = await ask({ images: [{ id: 'nothing' }] });
    expect(missing).toEqual({ __typename: 'NotFoundError', resource: 'Image', id: 'nothing' });
  });

  test('prices are there to be read, with their source', async () => {
    await usePrices({});
    const { data } = await app.query(
      '{ models { id prices { version from source note usdPerMillionTokens { textInput cachedTextInput textOutput imageOutput } } } }',
    );
    const [model] = data.models.filter(({ id }: { id: string }) => id === 'gpt-image-1');
    expect(model.prices).toEqual([
      {
        version: PUBLISHED,
        from: '2025-04-23T00:00:00.000Z',
        source: expect.stringMatching(/^https:/),
        note: null,
        usdPerMillionTokens: {
          textInput: '5',
          cachedTextInput: '1.25',
          textOutput: null,
          imageOutput: '40',
        },
      },
    ]);
  });
});

describe.runIf(hasDatabase)('costs in the sandbox', () => {
  test('are nominal: what the list says, and nothing paid', async () => {
    const app = await startTestApp({ EDITS_API_URL: '', EDITS_API_KEY: '', SANDBOX_DELAY_MS: '0' });
    try {
      const input = { images: [{ file: null }], prompt: 'a red hat' };
      await app.upload(EDIT, { input }, { 'input.images.0.file': await png() });
      const { data } = await app.query(COSTS);
      const [{ node }] = data.editJobs.edges;
      expect(node).toMatchObject({ cost: { nominal: true, priceVersion: PUBLISHED } });
      expect(Number(node.cost.amount)).toBeGreaterThan(0);
      const dimensions = { width: 64, height: 48 };
      const estimate = await app.query(ESTIMATE, {
        input: { prompt: 'a red hat', quality: 'MEDIUM', images: [{ dimensions }] },
      });
      expect(estimate.data.estimateEdit.cost).toEqual(node.cost);
    } finally {
      await app.stop();
    }
  });
});
