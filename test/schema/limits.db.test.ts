import { randomUUID } from 'node:crypto';
import { getNamedType, isUnionType } from 'graphql';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RouteName } from '../../src/http/route-table.ts';
import { schema } from '../../src/schema/index.ts';
import { NO_DRAWING, startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { filesIn } from '../support/directory.ts';
import { costAtMost, costLimitOf, limitsOf, setLimit, usd } from '../support/limit-operations.ts';
import { EDIT } from '../support/operations.ts';
import { png, pngWithAlpha } from '../support/test-images.ts';

const SIZE = { width: 64, height: 48 };
const ASKED = { prompt: 'a red hat', quality: 'LOW' };
const REJECTED = { __typename: 'LimitExceededError' };

describe.runIf(hasDatabase)('a limit that is not valid', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp();
  });
  afterAll(() => app?.stop());

  test.each([
    [{}, 'amount', 'REQUIRED'],
    [{ amount: '0.0000001' }, 'amount', 'INVALID_VALUE'],
    [{ amount: '1.5', measure: 'TOKENS' }, 'amount', 'INVALID_VALUE'],
    [{ amount: '1', window: null }, 'window', 'REQUIRED'],
    [{ amount: '1', measure: 'CONCURRENT_EDITS' }, 'window', 'INVALID_VALUE'],
    [{ amount: '1', measure: 'REQUESTS' }, 'window', 'INVALID_VALUE'],
    [{ amount: '1', timeZone: 'Mars/Olympus' }, 'timeZone', 'INVALID_VALUE'],
    [{ amount: '1', subject: { ownerId: 'a\0' } }, 'subject.ownerId', 'INVALID_VALUE'],
    [{ amount: '1', subject: { ownerId: '' } }, 'subject.ownerId', 'INVALID_VALUE'],
    [
      { amount: '1', subject: { metadata: { key: '', value: 'x' } } },
      'subject.metadata.key',
      'INVALID_VALUE',
    ],
    [
      {
        amount: '1',
        measure: 'REQUESTS',
        window: null,
        subject: { metadata: { key: 'a', value: 'x' } },
      },
      'subject',
      'INVALID_VALUE',
    ],
  ])('is not set by %j', async (input, field, code) => {
    expect(await setLimit(app, { window: 'DAY', ...input })).toMatchObject({ field, code });
    expect(await limitsOf(app)).toEqual([]);
  });

  test('has exactly one subject, which exists, and an amount of up to 12 digits', async () => {
    const two = { subject: { ownerId: 'a', apiKeyId: 'b' }, amount: '1', window: 'DAY' };
    await expect(setLimit(app, two)).rejects.toThrow('LimitSubjectInput');
    await expect(setLimit(app, { ...two, subject: {} })).rejects.toThrow('LimitSubjectInput');
    const subject = { apiKeyId: Buffer.from(`ApiKey:${randomUUID()}`).toString('base64url') };
    expect(await setLimit(app, { ...two, subject })).toMatchObject({ resource: 'ApiKey' });
    await expect(setLimit(app, { amount: '-1', window: 'DAY' })).rejects.toThrow('Decimal');
    const most = '999999999999.999999';
    expect((await setLimit(app, { amount: most, window: 'DAY' })).limit).toMatchObject({
      amount: most,
      remaining: most,
    });
  });
});

describe.runIf(hasDatabase)('a limit on cost', () => {
  let app: TestApp;
  let picture: Buffer;

  beforeEach(async () => {
    picture = await png(SIZE.width, SIZE.height);
    app = await startTestApp({}, NO_DRAWING);
  });
  afterEach(() => app.stop());

  const edit = async (input: object = {}) => {
    const { data, errors } = await app.upload(
      EDIT,
      { input: { images: [{ file: null }], ...ASKED, ...input } },
      { 'input.images.0.file': picture },
    );
    expect(errors).toBeUndefined();
    return data.editImage;
  };
  const bound = (input: object = {}) =>
    costAtMost(app, { images: [{ dimensions: SIZE }], ...ASKED, ...input });
  const set = (input: object) => setLimit(app, input);

  test('does not exist until it is set, and shows what is used, reserved and left', async () => {
    expect(await costLimitOf(app)).toBeNull();
    const { limit } = await set({ amount: '1.5', window: 'TOTAL' });
    expect(limit).toEqual({
      id: expect.any(String),
      subject: { ownerId: 'local', apiKeyId: null, metadata: null },
      measure: 'COST',
      window: 'TOTAL',
      timeZone: 'UTC',
      amount: '1.5',
      used: '0',
      reserved: '0',
      remaining: '1.5',
      exceededBy: '0',
      resetsAt: null,
      createdAt: expect.any(String),
    });
    const { editJob } = await edit();
    expect(editJob.status).toBe('SUCCEEDED');
    const spent = editJob.cost.amount;
    const remaining = usd(1_500_000 - Math.round(Number(spent) * 1e6));
    expect(await costLimitOf(app)).toMatchObject({
      used: spent,
      reserved: '0',
      remaining,
    });
    await app.restart();
    expect(await costLimitOf(app)).toMatchObject({ used: spent, remaining });
    expect(await set({ amount: null, window: 'TOTAL' })).toEqual({ limit: null });
    expect(await costLimitOf(app)).toBeNull();
  });

  test('that is too small for an edit rejects it, and nothing is stored, sent or paid', async () => {
    const cost = await bound();
    await set({ amount: usd(cost * 2 - 1), window: 'MONTH' });
    expect((await edit()).editJob.status).toBe('SUCCEEDED');
    // Thumbnails come when nobody waits for anything.
    const images = async () =>
      (await filesIn(`${app.dir}/blobs`)).filter((path) => !path.endsWith('.webp'));
    const before = await images();
    // Another image: one that is stored already would leave no trace.
    picture = await png(SIZE.width, SIZE.height + 1);
    const rejected = await edit();
    expect(rejected).toMatchObject({
      ...REJECTED,
      limitId: (await costLimitOf(app)).id,
      measure: 'COST',
      limit: usd(cost * 2 - 1),
      used: usd(cost),
      remaining: usd(cost - 1),
    });
    expect(rejected.retryAfterSeconds).toBeGreaterThan(0);
    expect(rejected.message).toContain(`maximum cost of $${usd(cost)}`);
    const now = new Date();
    const resetsAt = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1));
    expect(rejected.resetsAt).toBe(resetsAt.toISOString());
    expect(await images()).toEqual(before);
    expect(await filesIn(`${app.dir}/staging`)).toEqual([]);
    expect(app.sandbox.stats()).toMatchObject({ requests: 1, paid: 1 });
    await set({ amount: usd(cost * 2), window: 'MONTH' });
    expect((await edit()).editJob.status).toBe('SUCCEEDED');
  });

  test('is reserved once for one idempotency key, and rejects no edit that was paid', async () => {
    await set({ amount: usd(await bound()), window: 'DAY' });
    const all = await Promise.all(
      Array.from({ length: 8 }, () => edit({ idempotencyKey: 'one', wait: 30 })),
    );
    expect(new Set(all.map(({ editJob }) => editJob?.id)).size).toBe(1);
    expect(await edit({ idempotencyKey: 'one' })).toEqual(all[0]);
    expect(await edit({ idempotencyKey: 'two' })).toMatchObject(REJECTED);
    expect(app.sandbox.stats()).toMatchObject({ requests: 1, paid: 1 });
  });

  test('is reserved by a retried edit as by a new one', async () => {
    const cost = await bound();
    await set({ amount: usd(cost * 2), window: 'DAY' });
    const { editJob } = await edit();
    const retry = async () => {
      const text = `mutation($id: ID!) { retryEdit(input: { id: $id }) {
        __typename ... on RetryEditPayload { editJob { id status } }
      } }`;
      return (await app.query(text, { id: editJob.id })).data.retryEdit;
    };
    expect((await retry()).editJob.status).toBe('SUCCEEDED');
    expect(await costLimitOf(app)).toMatchObject({ used: usd(cost * 2), reserved: '0' });
    expect(await retry()).toMatchObject(REJECTED);
  });

  test('reserves the highest cost of what is left to the model, and a mask as one more image', async () => {
    app.sandbox.faults.push({ kind: 'no_usage' }, { kind: 'no_usage' });
    await set({ amount: '100', window: 'TOTAL' });
    await edit({ quality: 'AUTO', size: 'auto' });
    const auto = await bound({ quality: 'AUTO', size: 'auto' });
    expect(await costLimitOf(app)).toMatchObject({ used: usd(auto), reserved: usd(auto) });
    await app.upload(
      EDIT,
      { input: { images: [{ file: null }], mask: { file: null }, ...ASKED } },
      { 'input.images.0.file': picture, 'input.mask.file': await pngWithAlpha() },
    );
    const masked = await bound({ images: [{ dimensions: SIZE }, { dimensions: SIZE }] });
    expect(await costLimitOf(app)).toMatchObject({
      used: usd(auto + masked),
      reserved: usd(auto + masked),
    });
  });

  test('accepts no edit whose maximum cost is unknown, and names what makes it so', async () => {
    await set({ amount: '100', window: 'TOTAL' });
    const model = { __typename: 'InvalidInputError', field: 'model', code: 'UNSUPPORTED_VALUE' };
    const unknown = await edit({ model: 'house-model' });
    expect(unknown).toMatchObject(model);
    expect(unknown.message).toContain('no price of house-model is known');
    expect(unknown.message).toContain('MODELS_FILE');
    expect(app.sandbox.stats().requests).toBe(0);
    await set({ amount: null, window: 'TOTAL' });
    expect((await edit({ model: 'house-model' })).editJob.status).toBe('SUCCEEDED');
  });

  test('counts what was used before it was set', async () => {
    const { editJob } = await edit();
    const { limit } = await set({ amount: '1', window: 'MONTH' });
    expect(limit).toMatchObject({ used: editJob.cost.amount });
    const other = { amount: '2', window: 'MONTH', subject: { ownerId: 'somebody' } };
    expect((await set(other)).limit).toMatchObject({ subject: { ownerId: 'somebody' }, used: '0' });
    expect(await limitsOf(app)).toMatchObject([{ amount: '1' }]);
    expect(await limitsOf(app, 'somebody')).toMatchObject([{ amount: '2' }]);
  });

  test('counts deleted edits, and what they reserve', async () => {
    const cost = await bound();
    await set({ amount: '1', window: 'MONTH' });
    const spent = await edit();
    app.sandbox.faults.push({ kind: 'no_usage' });
    const held = await edit();
    for (const { editJob } of [spent, held]) {
      const { data } = await app.query(
        'mutation($id: ID!) { deleteEdit(input: { id: $id }) { __typename } }',
        { id: editJob.id },
      );
      expect(data.deleteEdit.__typename).toBe('DeleteEditPayload');
    }
    const used = { used: usd(cost * 2), reserved: usd(cost) };
    expect(await costLimitOf(app)).toMatchObject(used);
    await set({ amount: null, window: 'MONTH' });
    expect((await set({ amount: '1', window: 'MONTH' })).limit).toMatchObject(used);
  });

  test('that asks for tokens only accepts an edit without a known price', async () => {
    await set({ measure: 'TOKENS', amount: '100000', window: 'DAY' });
    expect((await edit()).editJob.status).toBe('SUCCEEDED');
    const [limit] = await limitsOf(app);
    expect(Number(limit.used)).toBeGreaterThan(0);
    expect(await edit({ model: 'house-model' })).toMatchObject({ field: 'model' });
  });
});

/** Mutations that submit edits: those whose result can say that a limit is exceeded. */
const SPENDING = Object.values(schema.getMutationType()?.getFields() ?? {})
  .filter(({ type }) => {
    const result = getNamedType(type);
    return (
      isUnionType(result) && result.getTypes().some(({ name }) => name === 'LimitExceededError')
    );
  })
  .map(({ name }) => name);

/** How to call each of them for an edit that has ended, or with a new image. */
const CALLS: Readonly<Record<string, (jobId: string, imageId: string) => string>> = {
  editImage: (_, imageId) =>
    `editImage(input: { images: [{ id: "${imageId}" }], prompt: "p", quality: LOW, n: 2 })`,
  retryEdit: (jobId) => `retryEdit(input: { id: "${jobId}" })`,
};

/** How to submit an edit through each path; null: none can, besides through GraphQL. */
const PATHS: Readonly<Record<RouteName, string | null>> = {
  page: null,
  asset: null,
  root: null,
  graphql: null,
  subgraph: null,
  schema: null,
  upload: null,
  image: null,
  exportEdits: null,
  openaiEdits: '/v1/images/edits',
  azureEdits: '/openai/deployments/gpt-image-1/images/edits',
  openaiModels: null,
  openaiModel: null,
  openaiOther: null,
};

const LIMITS = [
  ['COST', 'MONTH', '0.000001', 'insufficient_quota'],
  ['TOKENS', 'HOUR', '10', 'insufficient_quota'],
  ['EDITS', 'DAY', '0', 'rate_limit_exceeded'],
  ['IMAGES', 'TOTAL', '1', 'rate_limit_exceeded'],
  ['CONCURRENT_EDITS', undefined, '0', 'rate_limit_exceeded'],
] as const;

describe.runIf(hasDatabase)('every mutation and path that submits edits', () => {
  let app: TestApp;
  let job: { id: string; inputImages: [{ id: string }] };

  beforeAll(async () => {
    app = await startTestApp({}, NO_DRAWING);
    const { data } = await app.upload(
      EDIT,
      { input: { images: [{ file: null }], ...ASKED, n: 2, metadata: { project: 'x' } } },
      { 'input.images.0.file': await png(SIZE.width, SIZE.height) },
    );
    job = data.editImage.editJob;
  });
  afterAll(() => app?.stop());

  test('has a call here', () => {
    expect(SPENDING.toSorted()).toEqual(Object.keys(CALLS).toSorted());
  });

  test.each(SPENDING.flatMap((name) => LIMITS.map((limit) => [name, ...limit] as const)))(
    '%s returns LimitExceededError by a limit of %s',
    async (name, measure, window, amount) => {
      const set = (value: string | null) => setLimit(app, { measure, window, amount: value });
      await set(amount);
      const call = CALLS[name]?.(job.id, job.inputImages[0].id) ?? '';
      const { data } = await app.query(
        `mutation { ${call} { __typename ... on LimitExceededError { measure limit } } }`,
      );
      expect(data[name]).toEqual({ __typename: 'LimitExceededError', measure, limit: amount });
      expect((await app.query('{ editJobs { totalCount } }')).data.editJobs.totalCount).toBe(1);
      await set(null);
    },
  );

  test.each(
    Object.values(PATHS).flatMap((path) =>
      path === null ? [] : LIMITS.map((limit) => [path, ...limit] as const),
    ),
  )('%s returns 429 by a limit of %s', async (path, measure, window, amount, code) => {
    const set = (value: string | null) => setLimit(app, { measure, window, amount: value });
    await set(amount);
    const response = await fetch(app.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        images: [{ file_id: job.inputImages[0].id }],
        prompt: 'p',
        quality: 'low',
        n: 2,
      }),
    });
    expect([response.status, await response.json()]).toMatchObject([429, { error: { code } }]);
    expect((await app.query('{ editJobs { totalCount } }')).data.editJobs.totalCount).toBe(1);
    await set(null);
  });
});
