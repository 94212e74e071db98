import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseDecimal, USD_FRACTION_DIGITS } from '../../src/models/decimal.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { OCTOBER, writeOctober } from '../support/dated-edits.ts';
import { EDIT } from '../support/operations.ts';
import { png } from '../support/test-images.ts';

const USAGE = /* GraphQL */ `
  query Usage(
    $from: DateTime!, $to: DateTime!, $groupBy: [UsageGroup!], $timeZone: String
    $metadataKey: String, $sandbox: Boolean, $first: Int
  ) {
    usage(
      from: $from, to: $to, groupBy: $groupBy, timeZone: $timeZone
      metadataKey: $metadataKey, sandbox: $sandbox, first: $first
    ) {
      totals { ...Sums }
      buckets {
        from to date model upstream status metadataValue ownerId quality size
        prompt { text }
        totals { ...Sums }
      }
      truncated
    }
  }
  fragment Sums on EditTotals {
    edits pending succeeded failed canceled unresolved sandboxEdits images
    editsWithUsage totalTokens inputTokens cachedInputTokens outputTokens successRate
    inputTokensDetails { textTokens imageTokens } outputTokensDetails { textTokens imageTokens }
    cost nominalCost editsWithCost editsWithUnknownCost isCostComplete
  }
`;

const JOBS = /* GraphQL */ `
  {
    editJobs {
      edges {
        node {
          model status outputImages { id }
          usage {
            totalTokens inputTokens outputTokens raw
            inputTokensDetails { textTokens imageTokens }
            cachedInputTokens cachedInputTokensDetails { textTokens }
          }
        }
      }
    }
  }
`;

const NOW = { from: '2026-01-01T00:00:00Z', to: '2036-01-01T00:00:00Z' };

describe.runIf(hasDatabase)('usage', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startTestApp();
    await app.withDatabase(writeOctober);
    const models = ['gpt-image-1', 'gpt-image-1.5', 'gpt-image-1', 'gpt-image-1', 'gpt-image-1'];
    for (const [i, model] of models.entries()) {
      if (i === 2) app.sandbox.faults.push({ kind: 'moderation' });
      if (i === 3) app.sandbox.faults.push({ kind: 'truncate' });
      if (i === 4) app.sandbox.faults.push({ kind: 'no_usage' });
      await app.upload(
        EDIT,
        { input: { images: [{ file: null }], prompt: `prompt ${i % 2}`, model, quality: 'LOW' } },
        { 'input.images.0.file': await png() },
      );
    }
  });
  afterAll(() => app?.stop());

  async function usage(variables: object) {
    const { data, errors } = await app.query(USAGE, variables);
    expect(errors).toBeUndefined();
    return data.usage;
  }

  test('of real edits is what their jobs say: tokens by kind, images, ends', async () => {
    const { data } = await app.query(JOBS);
    const jobs: ReturnType<typeof JSON.parse>[] = data.editJobs.edges
      .map((edge: { node: object }) => edge.node)
      .filter((job: { model: string }) => job.model !== 'm');
    const sum = (value: (job: ReturnType<typeof JSON.parse>) => number | undefined) =>
      jobs.reduce((total: number, job) => total + (value(job) ?? 0), 0);
    const { totals, buckets } = await usage({ ...NOW, groupBy: ['DAY', 'MODEL'] });
    expect(totals).toMatchObject({
      edits: 5,
      pending: 0,
      succeeded: 3,
      failed: 1,
      unresolved: 1,
      canceled: 0,
      sandboxEdits: 0,
      images: sum((job) => job.outputImages.length),
      editsWithUsage: 2,
      totalTokens: sum((job) => job.usage?.totalTokens),
      inputTokens: sum((job) => job.usage?.inputTokens),
      inputTokensDetails: {
        textTokens: sum((job) => job.usage?.inputTokensDetails.textTokens),
        imageTokens: sum((job) => job.usage?.inputTokensDetails.imageTokens),
      },
      cachedInputTokens: sum((job) => job.usage?.cachedInputTokens),
      outputTokens: sum((job) => job.usage?.outputTokens),
      successRate: 3 / 5,
      isCostComplete: false,
    });
    expect(totals.totalTokens).toBeGreaterThan(0);
    expect(totals.inputTokensDetails.imageTokens).toBeGreaterThan(0);
    for (const name of ['edits', 'totalTokens', 'outputTokens', 'images', 'unresolved']) {
      const parts = buckets.map(
        (bucket: { totals: Record<string, number> }) => bucket.totals[name],
      );
      expect(parts.reduce((a: number, b: number) => a + b, 0)).toBe(totals[name]);
    }
  });

  test('of one edit is shown as the edits API answered it, beside what is derived', async () => {
    const { data } = await app.query(JOBS);
    const known = data.editJobs.edges.find(
      (edge: { node: { usage: object | null } }) => edge.node.usage !== null,
    ).node.usage;
    expect(known.raw).toMatchObject({
      total_tokens: known.totalTokens,
      input_tokens: known.inputTokens,
      output_tokens: known.outputTokens,
      input_tokens_details: {
        text_tokens: known.inputTokensDetails.textTokens,
        image_tokens: known.inputTokensDetails.imageTokens,
      },
    });
    expect(known).toMatchObject({
      cachedInputTokens: null,
      cachedInputTokensDetails: { textTokens: null },
    });
  });

  test('says what the edits cost at least, and of how many that is not known', async () => {
    const { totals, buckets, truncated } = await usage(OCTOBER);
    expect(totals).toMatchObject({
      edits: 7,
      succeeded: 4,
      canceled: 1,
      unresolved: 2,
      sandboxEdits: 1,
      editsWithUsage: 1,
      cost: '2.042301',
      nominalCost: '2',
      editsWithCost: 3,
      editsWithUnknownCost: 1,
      isCostComplete: false,
    });
    expect({ buckets, truncated }).toEqual({ buckets: [], truncated: false });
    const paid = await usage({ ...OCTOBER, sandbox: false });
    expect(paid.totals).toMatchObject({ edits: 6, cost: '0.042301', nominalCost: '0' });
    const nominal = await usage({ ...OCTOBER, sandbox: true });
    expect(nominal.totals).toMatchObject({ edits: 1, cost: '2', isCostComplete: true });
    const none = await usage({ from: OCTOBER.from, to: OCTOBER.from, groupBy: ['DAY'] });
    expect(none).toMatchObject({ totals: { edits: 0, cost: '0' }, buckets: [] });
  });

  test('by day and by hour is by local time, where a day has 25 hours and an hour is twice', async () => {
    const day = await usage({ ...OCTOBER, groupBy: ['DAY'], timeZone: 'Europe/Berlin' });
    const costs = day.buckets.map(({ totals }: { totals: { cost: string } }) =>
      parseDecimal(totals.cost, USD_FRACTION_DIGITS),
    );
    expect(costs.reduce((a: bigint, b: bigint) => a + b)).toBe(2_042_301n);
    expect(day.buckets[1]).toMatchObject({
      date: '2025-10-26',
      from: '2025-10-25T22:00:00.000Z',
      to: '2025-10-26T23:00:00.000Z',
      model: null,
      totals: { edits: 4 },
    });
    const hour = await usage({ ...OCTOBER, groupBy: ['HOUR'], timeZone: 'Europe/Berlin' });
    expect(hour.buckets.slice(2, 4)).toMatchObject([
      {
        date: '2025-10-26T02:00+02:00',
        totals: { edits: 1, unresolved: 0, cost: '0', isCostComplete: false },
      },
      {
        date: '2025-10-26T02:00+01:00',
        totals: { edits: 1, unresolved: 1, cost: '0', isCostComplete: false },
      },
    ]);
  });

  test('by other groups names what each bucket has, and null for what it has not', async () => {
    const by = async (groupBy: string[], more: object = {}) =>
      (await usage({ ...OCTOBER, groupBy, ...more })).buckets;
    expect(await by(['METADATA'], { metadataKey: 'project' })).toMatchObject([
      { metadataValue: '7', totals: { edits: 1 } },
      { metadataValue: 'x', totals: { edits: 1 } },
      { metadataValue: null, totals: { edits: 5 } },
    ]);
    expect(await by(['STATUS', 'UPSTREAM'])).toMatchObject([
      { status: 'CANCELED', upstream: null, totals: { edits: 2, unresolved: 1, canceled: 1 } },
      { status: 'OUTCOME_UNKNOWN', upstream: null, totals: { edits: 1 } },
      { status: 'SUCCEEDED', upstream: 'main', totals: { edits: 1 } },
      { status: 'SUCCEEDED', upstream: null, totals: { edits: 3 } },
    ]);
    expect(await by(['QUALITY', 'SIZE'])).toMatchObject([
      { quality: 'LOW', size: 'auto', totals: { edits: 1 } },
      { quality: null, size: 'auto', totals: { edits: 6 } },
    ]);
    expect(await by(['PROMPT'])).toMatchObject([
      { prompt: { text: 'october' }, totals: { edits: 1 } },
      { prompt: null, totals: { edits: 6 } },
    ]);
    expect(await by(['OWNER'])).toMatchObject([
      { ownerId: 'local', totals: { edits: 7 } },
      { ownerId: 'somebody-else', totals: { edits: 1, cost: '0.000005' } },
    ]);
  });

  test('is cut off after `first` buckets, says so, and sums up all of them', async () => {
    const cut = await usage({ ...OCTOBER, groupBy: ['DAY'], first: 2 });
    expect(cut).toMatchObject({ totals: { edits: 7 }, truncated: true });
    expect(cut.buckets).toHaveLength(2);
    const whole = await usage({ ...OCTOBER, groupBy: ['DAY'], first: 5 });
    expect(whole).toMatchObject({ totals: { edits: 7 }, truncated: false });
    expect(whole.buckets).toHaveLength(5);
  });

  test('asks the database once for the sums and once for all prompts', async () => {
    const before = app.logged.length;
    const { buckets } = await usage({ ...NOW, groupBy: ['PROMPT', 'MODEL'] });
    expect(buckets.length).toBeGreaterThan(2);
    const reads = app.logged.slice(before).filter((line) => /"sql":"\s*(\\n)*\s*SELECT/.test(line));
    expect(reads.filter((line) => line.includes('GROUPING SETS'))).toHaveLength(1);
    expect(reads.filter((line) => line.includes('\\"Prompt\\"'))).toHaveLength(1);
  });

  test.each([
    ['from', { from: OCTOBER.to, to: OCTOBER.from }],
    ['groupBy', { groupBy: ['DAY', 'HOUR'] }],
    ['timeZone', { timeZone: 'Mars/Olympus' }],
    ['metadataKey', { groupBy: ['METADATA'] }],
    ['first', { first: 0 }],
  ])('refuses what it cannot take, and names the argument: %s', async (field, variables) => {
    const { errors } = await app.query(USAGE, { ...OCTOBER, ...variables });
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field });
    expect(errors?.[0]?.message).toContain(field);
  });
});
