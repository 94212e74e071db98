import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BudgetExceededError } from '../../src/errors.ts';
import { type BudgetedEdits, openBudgetedEdits } from '../support/budgeted-edits.ts';
import { hasDatabase } from '../support/database.ts';

describe.runIf(hasDatabase)('a budget', () => {
  let edits: BudgetedEdits;

  /** Of one test. */
  let owner: string;

  beforeAll(async () => {
    edits = await openBudgetedEdits();
  });
  beforeEach(() => {
    owner = randomUUID();
    edits.setClock('2026-03-14T12:00:00Z');
    edits.setPrice(1);
  });
  afterAll(() => edits?.close());

  const set = (limitMicroUsd: bigint, period: 'DAY' | 'MONTH' | 'TOTAL' = 'DAY') =>
    edits.setBudget(owner, { limitMicroUsd, period });
  /** Spent and held. */
  const used = async () => {
    const state = await edits.budgets.find(owner);
    return state && [state.spentMicroUsd, state.reservedMicroUsd];
  };
  const insert = (hold = 10n) => edits.insert(owner, hold);

  test('leaves the highest raise of a bound, whichever of the edits at once ends last', async () => {
    const factor = async () =>
      (await edits.prisma.raisedBound.findMany()).find(({ kind }) => kind === 'output')?.factor ??
      0;
    await set(10_000n);
    const ids = await Promise.all([100n, 100n, 100n].map(insert));
    await Promise.all([500, 300, 400].map((used, i) => edits.succeed(ids[i] ?? '', used)));
    expect(await factor()).toBe(10);
    const within = await insert(100n);
    await edits.succeed(within, 90);
    const unknown = await insert(100n);
    await edits.succeed(unknown, null);
    expect(await factor()).toBe(10);
    expect(await edits.prisma.raisedBound.count()).toBe(1);
  });

  test('is held by an edit while it waits and while it runs', async () => {
    await set(100n);
    const id = await insert();
    expect(await used()).toEqual([0n, 10n]);
    await edits.claim(id);
    expect(await used()).toEqual([0n, 10n]);
  });

  test.each<[string, [bigint, bigint], (id: string) => Promise<unknown>]>([
    ['has spent its cost after it succeeded', [7n, 0n], (id) => edits.succeed(id, 7)],
    ['has spent more than it held, if it cost more', [12n, 0n], (id) => edits.succeed(id, 12)],
    ['holds all of it, if its cost is unknown', [0n, 10n], (id) => edits.succeed(id, null)],
    ['holds nothing after it failed', [0n, 0n], (id) => edits.fail(id)],
    ['holds all of it while its outcome is unknown', [0n, 10n], (id) => edits.loseOutcome(id)],
    ['holds all of it when it is tried again', [0n, 10n], (id) => edits.requeue(id)],
    ['holds nothing after it was canceled in the queue', [0n, 0n], (id) => edits.cancel(owner, id)],
    [
      'holds nothing after it was canceled in the queue, tried in vain before',
      [0n, 0n],
      async (id) => {
        await edits.requeue(id);
        await edits.cancel(owner, id);
      },
    ],
    [
      'holds all of it after it was canceled while it ran',
      [0n, 10n],
      async (id) => {
        await edits.claim(id);
        await edits.cancel(owner, id);
      },
    ],
  ])('of one edit %s', async (_, expected, end) => {
    await set(100n);
    await end(await insert());
    expect(await used()).toEqual(expected);
  });

  test('is exceeded by an edit that may cost more than is left, which leaves no trace', async () => {
    await set(25n);
    await insert();
    await edits.succeed(await insert(), 4);
    const refused = await insert(12n).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(BudgetExceededError);
    expect(refused).toMatchObject({
      limitMicroUsd: 25n,
      usedMicroUsd: 14n,
      resetsAt: new Date('2026-03-15T00:00:00Z'),
    });
    expect(await edits.prisma.editJob.count({ where: { ownerId: owner } })).toBe(2);
    expect(await edits.prisma.reservation.count({ where: { ownerId: owner } })).toBe(2);
    await insert(11n);
    expect(await used()).toEqual([4n, 21n]);
  });

  test('takes in exactly what it has room for, however many edits come at once', async () => {
    await set(100n);
    const inserted = await Promise.allSettled(Array.from({ length: 40 }, () => insert()));
    const refused = inserted.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    expect(refused).toHaveLength(30);
    for (const error of refused) expect(error).toBeInstanceOf(BudgetExceededError);
    expect(await used()).toEqual([0n, 100n]);
  });

  test.each([
    ['DAY', '2026-03-14T23:59:59.999Z', '2026-03-15T00:00:00Z', '2026-03-16T00:00:00Z'],
    ['MONTH', '2026-03-31T23:59:59.999Z', '2026-04-01T00:00:00Z', '2026-05-01T00:00:00Z'],
  ] as const)('of a %s begins anew, and what was before counts no more', async (...row) => {
    const [period, last, first, end] = row;
    edits.setClock(last);
    await set(25n, period);
    const [running, later] = [await insert(), await insert()];
    await expect(insert()).rejects.toThrow(BudgetExceededError);
    edits.setClock(first);
    const fresh = { usedMicroUsd: 0n, remainingMicroUsd: 25n, resetsAt: new Date(end) };
    expect(await edits.budgets.find(owner)).toMatchObject(fresh);
    // Before anybody has begun the new period, and after.
    await edits.succeed(running, 9);
    expect(await edits.budgets.find(owner)).toMatchObject(fresh);
    await insert(20n);
    await edits.succeed(later, 9);
    expect(await used()).toEqual([0n, 20n]);
  });

  test('of all time never begins anew', async () => {
    await set(25n, 'TOTAL');
    await edits.succeed(await insert(), 10);
    edits.setClock('2126-01-01T00:00:00Z');
    expect(await edits.budgets.find(owner)).toMatchObject({ usedMicroUsd: 10n, resetsAt: null });
  });

  test('is not brought back to an earlier period by a clock that is behind', async () => {
    await set(25n);
    edits.setClock('2026-03-15T00:00:00.010Z');
    await insert();
    edits.setClock('2026-03-14T23:59:59.990Z');
    await edits.succeed(await insert(), 3);
    edits.setClock('2026-03-15T00:00:01Z');
    expect(await used()).toEqual([3n, 10n]);
    // Nor when it is summed up anew.
    await set(30n);
    expect(await used()).toEqual([3n, 10n]);
  });

  test('that is set counts what the period’s edits have cost, also of those that run then', async () => {
    edits.setClock('2026-03-13T12:00:00Z');
    await edits.succeed(await edits.insert(owner, null), 1);
    edits.setClock('2026-03-14T12:00:00Z');
    await edits.succeed(await edits.insert(owner, null), 2);
    const [running] = [await edits.insert(owner, null), await edits.insert('another', null)];
    await set(100n);
    expect(await used()).toEqual([2n, 0n]);
    await edits.succeed(running, 4);
    expect(await used()).toEqual([6n, 0n]);
    await set(100n, 'TOTAL');
    expect(await used()).toEqual([7n, 0n]);
  });

  test('that is removed and set again still has what its edits hold', async () => {
    await set(100n);
    const [running, ended] = [await insert(), await insert()];
    await edits.loseOutcome(await insert());
    expect(await edits.setBudget(owner, { limitMicroUsd: null, period: null })).toBeNull();
    expect(await edits.budgets.find(owner)).toBeNull();
    await insert(1_000n);
    await edits.succeed(ended, 5);
    await set(100n);
    expect(await used()).toEqual([5n, 20n]);
    await edits.succeed(running, 6);
    expect(await used()).toEqual([11n, 10n]);
  });

  test('keeps its period when only the limit is set', async () => {
    await set(100n, 'TOTAL');
    const state = await edits.setBudget(owner, { limitMicroUsd: 5n, period: null });
    expect(state).toMatchObject({ period: 'TOTAL', limitMicroUsd: 5n });
  });

  test('follows costs that are computed anew, and is settled when they become known', async () => {
    await set(100n);
    await edits.succeed(await insert(), 5);
    edits.setPrice(null);
    await edits.succeed(await insert(), 6);
    expect(await used()).toEqual([5n, 10n]);
    edits.setPrice(3);
    await edits.reprice();
    expect(await used()).toEqual([33n, 0n]);
    await edits.reprice();
    expect(await used()).toEqual([33n, 0n]);
  });
});
