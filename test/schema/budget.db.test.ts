import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { budgetOf, costAtMost, setBudget, usd } from '../support/budget-operations.ts';
import { hasDatabase } from '../support/database.ts';
import { filesIn } from '../support/directory.ts';
import { EDIT } from '../support/operations.ts';
import { png, pngWithAlpha } from '../support/test-images.ts';

const SIZE = { width: 64, height: 48 };
const ASKED = { prompt: 'a red hat', quality: 'LOW' };
const REFUSED = { __typename: 'BudgetExceededError' };

describe.runIf(hasDatabase)('a budget', () => {
  let app: TestApp;
  let picture: Buffer;

  beforeEach(async () => {
    picture = await png(SIZE.width, SIZE.height);
    app = await startTestApp();
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
  const set = (input: object) => setBudget(app, input);

  test('is none until it is set, and shows what is used, held and left', async () => {
    expect(await budgetOf(app)).toBeNull();
    const { budget } = await set({ limit: '1.5', period: 'TOTAL' });
    const fresh = { used: '0', cost: '0', reserved: '0', remaining: '1.5', exceededBy: '0' };
    expect(budget).toEqual({
      ownerId: 'local',
      period: 'TOTAL',
      limit: '1.5',
      resetsAt: null,
      ...fresh,
    });
    const { editJob } = await edit();
    expect(editJob.status).toBe('SUCCEEDED');
    const spent = editJob.cost.amount;
    const remaining = usd(1_500_000 - Math.round(Number(spent) * 1e6));
    expect(await budgetOf(app)).toMatchObject({
      used: spent,
      cost: spent,
      reserved: '0',
      remaining,
    });
    await app.restart();
    expect(await budgetOf(app)).toMatchObject({ used: spent, remaining });
    expect(await set({ limit: null })).toEqual({ budget: null });
    expect(await budgetOf(app)).toBeNull();
  });

  test('that is too small for an edit refuses it, and nothing is stored, sent or paid', async () => {
    const cost = await bound();
    await set({ limit: usd(cost * 2 - 1), period: 'MONTH' });
    expect((await edit()).editJob.status).toBe('SUCCEEDED');
    // Thumbnails come when nobody waits for anything.
    const images = async () =>
      (await filesIn(`${app.dir}/blobs`)).filter((path) => !path.endsWith('.webp'));
    const before = await images();
    const refused = await edit();
    expect(refused).toMatchObject({ ...REFUSED, limit: usd(cost * 2 - 1), used: usd(cost) });
    expect(refused.message).toContain(`maximum cost of $${usd(cost)}`);
    const now = new Date();
    const resetsAt = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1));
    expect(refused.resetsAt).toBe(resetsAt.toISOString());
    expect(await images()).toEqual(before);
    expect(await filesIn(`${app.dir}/staging`)).toEqual([]);
    expect(app.sandbox.stats()).toMatchObject({ requests: 1, paid: 1 });
    await set({ limit: usd(cost * 2) });
    expect((await edit()).editJob.status).toBe('SUCCEEDED');
  });

  test('is held once for one idempotency key, and refuses no edit that it has paid', async () => {
    await set({ limit: usd(await bound()), period: 'DAY' });
    const all = await Promise.all(
      Array.from({ length: 8 }, () => edit({ idempotencyKey: 'one', wait: 30 })),
    );
    expect(new Set(all.map(({ editJob }) => editJob?.id)).size).toBe(1);
    expect(await edit({ idempotencyKey: 'one' })).toEqual(all[0]);
    expect(await edit({ idempotencyKey: 'two' })).toMatchObject(REFUSED);
    expect(app.sandbox.stats()).toMatchObject({ requests: 1, paid: 1 });
  });

  test('is held by an edit that is tried again as by a new one', async () => {
    const cost = await bound();
    await set({ limit: usd(cost * 2), period: 'DAY' });
    const { editJob } = await edit();
    const retry = async () => {
      const text = `mutation($id: ID!) { retryEdit(input: { id: $id }) {
        __typename ... on RetryEditPayload { editJob { id status } }
      } }`;
      return (await app.query(text, { id: editJob.id })).data.retryEdit;
    };
    expect((await retry()).editJob.status).toBe('SUCCEEDED');
    expect(await budgetOf(app)).toMatchObject({ cost: usd(cost * 2), reserved: '0' });
    expect(await retry()).toMatchObject(REFUSED);
  });

  test('reserves the dearest of what is left to the model, and a mask as one more image', async () => {
    app.sandbox.faults.push({ kind: 'no_usage' }, { kind: 'no_usage' });
    await set({ limit: '100', period: 'TOTAL' });
    await edit({ quality: 'AUTO', size: 'auto' });
    const auto = await bound({ quality: 'AUTO', size: 'auto' });
    expect(await budgetOf(app)).toMatchObject({ cost: '0', reserved: usd(auto) });
    await app.upload(
      EDIT,
      { input: { images: [{ file: null }], mask: { file: null }, ...ASKED } },
      { 'input.images.0.file': picture, 'input.mask.file': await pngWithAlpha() },
    );
    const masked = await bound({ images: [{ dimensions: SIZE }, { dimensions: SIZE }] });
    expect(await budgetOf(app)).toMatchObject({ cost: '0', reserved: usd(auto + masked) });
  });

  test('takes in no edit of which nobody can tell the cost, and says what makes it so', async () => {
    await set({ limit: '100', period: 'TOTAL' });
    const model = { __typename: 'InvalidInputError', field: 'model', code: 'UNSUPPORTED_VALUE' };
    const unknown = await edit({ model: 'house-model' });
    expect(unknown).toMatchObject(model);
    expect(unknown.message).toContain('no price of house-model is known');
    expect(unknown.message).toContain('MODELS_FILE');
    expect(app.sandbox.stats().requests).toBe(0);
    await set({ limit: null });
    expect((await edit({ model: 'house-model' })).editJob.status).toBe('SUCCEEDED');
  });

  test('counts what was spent before it was set', async () => {
    const { editJob } = await edit();
    const { budget } = await set({ limit: '1', period: 'MONTH' });
    expect(budget).toMatchObject({ cost: editJob.cost.amount });
    expect((await set({ limit: '2', ownerId: 'somebody' })).budget).toMatchObject({
      ownerId: 'somebody',
      cost: '0',
      period: 'MONTH',
    });
    expect(await budgetOf(app)).toMatchObject({ limit: '1' });
  });

  test('counts edits that were deleted, what they hold too', async () => {
    const cost = await bound();
    await set({ limit: '1', period: 'MONTH' });
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
    const used = { cost: usd(cost), reserved: usd(cost) };
    expect(await budgetOf(app)).toMatchObject(used);
    expect((await set({ limit: '1' })).budget).toMatchObject(used);
  });

  test('is not set by what is no amount, no owner, or left out', async () => {
    expect(await set({})).toMatchObject({ field: 'limit', code: 'REQUIRED' });
    expect(await set({ limit: '0.0000001' })).toMatchObject({ field: 'limit' });
    expect(await set({ limit: '1', ownerId: 'a\0' })).toMatchObject({ field: 'ownerId' });
    expect(await set({ limit: '1', ownerId: '' })).toMatchObject({ field: 'ownerId' });
    await expect(set({ limit: '-1' })).rejects.toThrow('Decimal');
    expect((await set({ limit: '999999999999.999999' })).budget.limit).toBe('999999999999.999999');
    expect(await budgetOf(app)).toMatchObject({ remaining: '999999999999.999999' });
  });
});
