import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { JobNotResolvableError, LimitExceededError, NotFoundError } from '../../src/errors.ts';
import type { LimitMeasure } from '../../src/limits/limit-state.ts';
import type { LimitWindow } from '../../src/limits/limit-window.ts';
import type { LimitTarget } from '../../src/limits/set-limit.ts';
import { hasDatabase } from '../support/database.ts';
import { type LimitedEdits, openLimitedEdits } from '../support/limited-edits.ts';

describe.runIf(hasDatabase)('a limit', () => {
  let edits: LimitedEdits;

  /** Of one test. */
  let owner: string;

  beforeAll(async () => {
    edits = await openLimitedEdits();
  });
  beforeEach(() => {
    owner = randomUUID();
    edits.setClock('2026-03-14T12:00:00Z');
    edits.setPrice(1);
  });
  afterAll(() => edits?.close());

  const ofOwner = (): LimitTarget => ({ subject: 'OWNER', ownerId: owner });
  /** Sets the owner's limit on cost, or on another measure. */
  const set = (amount: bigint | null, window: LimitWindow = 'DAY', measure?: LimitMeasure) =>
    edits.setLimit(ofOwner(), { amount, window, ...(measure && { measure }) });
  const find = async (measure: LimitMeasure = 'COST') => {
    const limits = await edits.limits.list({ ownerId: owner, apiKeyIds: [] });
    return limits.find((limit) => limit.ownerId === owner && limit.measure === measure) ?? null;
  };
  /** Settled and reserved. */
  const used = async (measure?: LimitMeasure) => {
    const state = await find(measure);
    return state && [state.settled, state.reserved];
  };
  const insert = (cost: bigint | null = 10n) => edits.insert({ ownerId: owner, cost });

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

  test('is reserved by an edit while it waits and while it runs', async () => {
    await set(100n);
    const id = await insert();
    expect(await used()).toEqual([0n, 10n]);
    await edits.claim(id);
    expect(await used()).toEqual([0n, 10n]);
  });

  test.each<[string, [bigint, bigint], (id: string) => Promise<unknown>]>([
    ['counts its cost after it succeeded', [7n, 0n], (id) => edits.succeed(id, 7)],
    ['counts more than it reserved, if it cost more', [12n, 0n], (id) => edits.succeed(id, 12)],
    ['reserves all of it, if its cost is unknown', [0n, 10n], (id) => edits.succeed(id, null)],
    ['reserves nothing after it failed', [0n, 0n], (id) => edits.fail(id)],
    ['reserves all of it while its outcome is unknown', [0n, 10n], (id) => edits.loseOutcome(id)],
    ['reserves all of it when it is tried again', [0n, 10n], (id) => edits.requeue(id)],
    [
      'reserves nothing after it was canceled in the queue',
      [0n, 0n],
      (id) => edits.cancel(owner, id),
    ],
    [
      'reserves nothing after it was canceled in the queue, tried in vain before',
      [0n, 0n],
      async (id) => {
        await edits.requeue(id);
        await edits.cancel(owner, id);
      },
    ],
    [
      'reserves all of it after it was canceled while it ran',
      [0n, 10n],
      async (id) => {
        await edits.claim(id);
        await edits.cancel(owner, id);
      },
    ],
  ])('for one edit %s', async (_, expected, end) => {
    await set(100n);
    await end(await insert());
    expect(await used()).toEqual(expected);
  });

  test('is exceeded by an edit that may cost more than is left, which leaves no trace', async () => {
    await set(25n);
    await insert();
    await edits.succeed(await insert(), 4);
    const rejected = await insert(12n).catch((error: unknown) => error);
    expect(rejected).toBeInstanceOf(LimitExceededError);
    expect(rejected).toMatchObject({
      measure: 'COST',
      limit: 25n,
      used: 14n,
      remaining: 11n,
      resetsAt: new Date('2026-03-15T00:00:00Z'),
      retryAfterSeconds: 12 * 60 * 60,
    });
    expect(await edits.prisma.editJob.count({ where: { ownerId: owner } })).toBe(2);
    expect(await edits.prisma.limitReservation.count({ where: { ownerId: owner } })).toBe(2);
    await insert(11n);
    expect(await used()).toEqual([4n, 21n]);
  });

  test('accepts exactly what it has room for, however many edits come at once', async () => {
    await set(100n);
    const inserted = await Promise.allSettled(Array.from({ length: 40 }, () => insert()));
    const rejected = inserted.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    expect(rejected).toHaveLength(30);
    for (const error of rejected) expect(error).toBeInstanceOf(LimitExceededError);
    expect(await used()).toEqual([0n, 100n]);
  });

  test.each([
    ['DAY', '2026-03-14T23:59:59.999Z', '2026-03-15T00:00:00Z', '2026-03-16T00:00:00Z'],
    ['MONTH', '2026-03-31T23:59:59.999Z', '2026-04-01T00:00:00Z', '2026-05-01T00:00:00Z'],
  ] as const)('of a %s begins anew, and what was before no longer counts', async (...row) => {
    const [window, last, first, end] = row;
    edits.setClock(last);
    await set(25n, window);
    const [running, later] = [await insert(), await insert()];
    await expect(insert()).rejects.toThrow(LimitExceededError);
    edits.setClock(first);
    const fresh = { used: 0n, remaining: 25n, resetsAt: new Date(end) };
    expect(await find()).toMatchObject(fresh);
    // Before anybody has begun the new period, and after.
    await edits.succeed(running, 9);
    expect(await find()).toMatchObject(fresh);
    await insert(20n);
    await edits.succeed(later, 9);
    expect(await used()).toEqual([0n, 20n]);
  });

  test('of all time never begins anew', async () => {
    await set(25n, 'TOTAL');
    await edits.succeed(await insert(), 10);
    edits.setClock('2126-01-01T00:00:00Z');
    expect(await find()).toMatchObject({ used: 10n, resetsAt: null });
  });

  test('is not brought back to an earlier window by a clock that is behind', async () => {
    await set(25n);
    edits.setClock('2026-03-15T00:00:00.010Z');
    await insert();
    edits.setClock('2026-03-14T23:59:59.990Z');
    await edits.succeed(await insert(), 3);
    edits.setClock('2026-03-15T00:00:01Z');
    expect(await used()).toEqual([3n, 10n]);
    // Nor when it is summed up anew.
    await set(null);
    await set(30n);
    expect(await used()).toEqual([3n, 10n]);
  });

  test('that is set counts what the edits of its window have cost, also of those that run then', async () => {
    edits.setClock('2026-03-13T12:00:00Z');
    await edits.succeed(await insert(null), 1);
    edits.setClock('2026-03-14T12:00:00Z');
    await edits.succeed(await insert(null), 2);
    const [running] = [await insert(null), await edits.insert({ ownerId: 'another' })];
    await set(100n);
    expect(await used()).toEqual([2n, 0n]);
    await edits.succeed(running, 4);
    expect(await used()).toEqual([6n, 0n]);
    await set(null);
    await set(100n, 'TOTAL');
    expect(await used()).toEqual([7n, 0n]);
  });

  test('that is removed and set again still has what its edits reserve', async () => {
    await set(100n);
    const [running, ended] = [await insert(), await insert()];
    await edits.loseOutcome(await insert());
    expect(await set(null)).toBeNull();
    expect(await find()).toBeNull();
    await insert(1_000n);
    await edits.succeed(ended, 5);
    await set(100n);
    expect(await used()).toEqual([5n, 20n]);
    await edits.succeed(running, 6);
    expect(await used()).toEqual([11n, 10n]);
  });

  test('keeps its counters and its time zone when only the amount is set', async () => {
    const timeZone = 'Asia/Tokyo';
    await edits.setLimit(ofOwner(), { amount: 100n, timeZone });
    await edits.succeed(await insert(), 4);
    expect(await set(5n)).toMatchObject({ timeZone, amount: 5n, settled: 4n, remaining: 1n });
  });

  test('follows repriced costs, and is settled when they become known', async () => {
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

  test.each<[LimitMeasure, bigint, (id: string) => Promise<unknown>, [bigint, bigint]]>([
    ['TOKENS', 50n, (id) => edits.succeed(id, 20, 1), [21n, 0n]],
    ['TOKENS', 50n, (id) => edits.succeed(id, null, 1), [0n, 50n]],
    ['TOKENS', 50n, (id) => edits.fail(id), [0n, 0n]],
    ['TOKENS', 50n, (id) => edits.loseOutcome(id), [0n, 50n]],
    ['IMAGES', 3n, (id) => edits.succeed(id, null, 2), [2n, 0n]],
    ['IMAGES', 3n, (id) => edits.fail(id), [0n, 0n]],
    ['IMAGES', 3n, (id) => edits.loseOutcome(id), [0n, 3n]],
    ['EDITS', 0n, (id) => edits.succeed(id, 1), [1n, 0n]],
    ['EDITS', 0n, (id) => edits.cancel(owner, id), [1n, 0n]],
    ['EDITS', 0n, (id) => edits.fail(id), [1n, 0n]],
    ['CONCURRENT_EDITS', 1n, (id) => edits.requeue(id), [0n, 1n]],
    ['CONCURRENT_EDITS', 1n, (id) => edits.succeed(id, null), [0n, 0n]],
    ['CONCURRENT_EDITS', 1n, (id) => edits.fail(id), [0n, 0n]],
    ['CONCURRENT_EDITS', 1n, (id) => edits.loseOutcome(id), [0n, 0n]],
    ['CONCURRENT_EDITS', 1n, (id) => edits.cancel(owner, id), [0n, 0n]],
  ])('of %s reserves %i for an edit, and counts what it has used', async (...row) => {
    const [measure, reserved, end, expected] = row;
    const window = measure === 'CONCURRENT_EDITS' ? 'TOTAL' : 'DAY';
    await set(1_000n, window, measure);
    const id = await edits.insert({ ownerId: owner, tokens: 50n, n: 3 });
    expect((await used(measure))?.[1]).toBe(reserved);
    await end(id);
    expect(await used(measure)).toEqual(expected);
    // A limit that is set later counts the same.
    await set(null, window, measure);
    await set(1_000n, window, measure);
    expect(await used(measure)).toEqual(expected);
  });

  test('of CONCURRENT_EDITS counts the queued and running edits when it is set', async () => {
    const [queued, running] = [await insert(), await insert()];
    await edits.claim(running);
    await edits.fail(await insert());
    await set(3n, 'TOTAL', 'CONCURRENT_EDITS');
    expect(await used('CONCURRENT_EDITS')).toEqual([0n, 2n]);
    await insert();
    await expect(insert()).rejects.toMatchObject({ retryAfterSeconds: null });
    await edits.cancel(owner, queued);
    await insert();
  });

  test('of an API key counts the edits of every key that it created, and no others', async () => {
    const [parent, child, other] = [
      await edits.createKey(owner),
      await edits.createKey(owner),
      await edits.createKey(owner),
    ];
    const target = { subject: 'API_KEY', apiKeyId: parent } as const;
    await edits.setLimit(target, { measure: 'EDITS', amount: 2n });
    await edits.insert({ ownerId: owner, apiKeyIds: [parent] });
    await edits.insert({ ownerId: 'somebody', apiKeyIds: [child, parent] });
    const exceeded = edits.insert({ ownerId: owner, apiKeyIds: [child, parent] });
    await expect(exceeded).rejects.toThrow('the limit of your API key');
    await edits.insert({ ownerId: owner, apiKeyIds: [other] });
    await insert();
    // And when it is summed up anew.
    await edits.setLimit(target, { measure: 'EDITS', amount: null });
    expect(await edits.setLimit(target, { measure: 'EDITS', amount: 9n })).toMatchObject({
      used: 2n,
    });
    const unknown = { subject: 'API_KEY', apiKeyId: randomUUID() } as const;
    await expect(edits.setLimit(unknown, { amount: 1n })).rejects.toThrow(NotFoundError);
  });

  test('of metadata counts edits with that value as text, of one owner or of all', async () => {
    const project = randomUUID();
    const metadata = { subject: 'METADATA', metadataKey: 'project', metadataValue: '7' } as const;
    await edits.setLimit({ ...metadata, ownerId: owner }, { measure: 'EDITS', amount: 2n });
    const shared = { ...metadata, metadataValue: project, ownerId: null } as const;
    await edits.setLimit(shared, { measure: 'EDITS', amount: 2n });
    await edits.insert({ ownerId: owner, metadata: { project: '7' } });
    await edits.insert({ ownerId: owner, metadata: { project: 7 } });
    const exceeded = edits.insert({ ownerId: owner, metadata: { project: 7 } });
    await expect(exceeded).rejects.toThrow('the limit of metadata project=7');
    await edits.insert({ ownerId: 'somebody', metadata: { project: 7 } });
    await edits.insert({ ownerId: owner, metadata: { project: '70', other: 7 } });
    for (const ownerId of [owner, 'somebody']) {
      await edits.insert({ ownerId, metadata: { project } });
    }
    const last = edits.insert({ ownerId: 'third', metadata: { project } });
    await expect(last).rejects.toThrow(LimitExceededError);
  });

  test('lets no edit pass that another limit rejects, and reports the one that resets last', async () => {
    await set(1_000n);
    await set(1n, 'MONTH', 'EDITS');
    await set(1n, 'DAY', 'EDITS');
    await insert();
    await expect(insert()).rejects.toMatchObject({
      measure: 'EDITS',
      resetsAt: new Date('2026-04-01T00:00:00Z'),
    });
    expect(await used()).toEqual([0n, 10n]);
    edits.setClock('2026-04-01T00:00:00Z');
    await insert();
  });

  test.each([
    [
      'DAY',
      'Europe/Berlin',
      '2026-03-29T00:30:00Z',
      '2026-03-28T23:00:00Z',
      '2026-03-29T22:00:00Z',
    ],
    ['DAY', 'Asia/Kolkata', '2026-03-14T18:29:59Z', '2026-03-13T18:30:00Z', '2026-03-14T18:30:00Z'],
    [
      'HOUR',
      'Asia/Kolkata',
      '2026-03-14T12:29:59Z',
      '2026-03-14T11:30:00Z',
      '2026-03-14T12:30:00Z',
    ],
    [
      'MONTH',
      'America/New_York',
      '2026-03-01T04:00:00Z',
      '2026-02-01T05:00:00Z',
      '2026-03-01T05:00:00Z',
    ],
    ['MINUTE', 'UTC', '2026-03-14T12:00:30Z', '2026-03-14T12:00:00Z', '2026-03-14T12:01:00Z'],
  ] as const)('counts a %s of %s', async (window, timeZone, at, start, end) => {
    edits.setClock(at);
    const state = await edits.setLimit(ofOwner(), { amount: 1n, window, timeZone });
    expect(state).toMatchObject({ windowStart: new Date(start), resetsAt: new Date(end) });
  });

  test.each<[string, (id: string) => Promise<unknown>]>([
    ['is OUTCOME_UNKNOWN', (id) => edits.loseOutcome(id)],
    ['succeeded at unknown cost', (id) => edits.succeed(id, null)],
    [
      'was canceled while it ran',
      async (id) => {
        await edits.claim(id);
        await edits.cancel(owner, id);
      },
    ],
  ])('is settled with the resolved cost of an edit that %s', async (_, end) => {
    await set(100n);
    await set(100n, 'DAY', 'TOKENS');
    const id = await edits.insert({ ownerId: owner, cost: 10n, tokens: 20n });
    await end(id);
    const { status } = await edits.prisma.editJob.findUniqueOrThrow({ where: { id } });
    await edits.resolve(id, 7n);
    expect(await used()).toEqual([7n, 0n]);
    expect(await used('TOKENS')).toEqual([0n, 20n]);
    // A later decision replaces it, and repricing keeps it.
    await edits.resolve(id, 0n, { isPaid: false });
    await edits.reprice();
    expect(await used()).toEqual([0n, 0n]);
    expect(await used('TOKENS')).toEqual([0n, 0n]);
    const job = await edits.prisma.editJob.findUniqueOrThrow({
      where: { id },
      include: { charges: { orderBy: { id: 'asc' } } },
    });
    expect(job).toMatchObject({ status, costMicroUsd: 0n });
    expect(job.charges).toMatchObject([
      { amountMicroUsd: 7n, priceVersion: 'manual', supersededAt: expect.any(Date) },
      { amountMicroUsd: 0n, priceVersion: 'manual', supersededAt: null },
    ]);
  });

  test('keeps a resolved cost when prices become known later', async () => {
    await set(100n);
    edits.setPrice(null);
    const id = await insert();
    await edits.succeed(id, 6);
    await edits.resolve(id, 4n);
    edits.setPrice(3);
    await edits.reprice();
    expect(await used()).toEqual([4n, 0n]);
  });

  test('counts an edit that is being submitted while it is set', async () => {
    const id = randomUUID();
    const job = {
      id,
      ownerId: owner,
      sandbox: true,
      model: 'm',
      size: 's',
      resolvedSize: 's',
      n: 1,
    };
    const submitted = edits.prisma.$transaction(async (tx) => {
      await tx.editJob.create({ data: { ...job, createdAt: edits.now() } });
      const amounts = { EDITS: 1n, CONCURRENT_EDITS: 1n };
      await edits.limits.reserve(tx, { jobId: id, ownerId: owner, amounts, bound: null });
      await delay(500);
    });
    await delay(100);
    await set(10n, 'DAY', 'EDITS');
    await set(10n, 'TOTAL', 'CONCURRENT_EDITS');
    await submitted;
    expect(await used('EDITS')).toEqual([1n, 0n]);
    expect(await used('CONCURRENT_EDITS')).toEqual([0n, 1n]);
  });

  test('is not changed by resolving an edit whose cost is known or that has not ended', async () => {
    await set(100n);
    const [queued, failed, succeeded] = [await insert(), await insert(), await insert()];
    await edits.fail(failed);
    await edits.succeed(succeeded, 5);
    for (const id of [queued, failed, succeeded]) {
      await expect(edits.resolve(id, 1n)).rejects.toThrow(JobNotResolvableError);
    }
    await expect(edits.resolve(randomUUID(), 1n)).rejects.toThrow(NotFoundError);
    expect(await used()).toEqual([5n, 10n]);
  });

  test('that is set, and an outcome that is resolved, are audited with their values before and after', async () => {
    const state = await set(100n);
    await set(50n);
    const id = await insert();
    await edits.loseOutcome(id);
    await edits.resolve(id, 7n);
    await set(null);
    const events = await edits.prisma.auditEvent.findMany({
      where: { ownerId: owner },
      orderBy: { id: 'asc' },
    });
    expect(events.map(({ action, before, after }) => [action, before, after])).toMatchObject([
      ['setLimit', null, { measure: 'COST', window: 'DAY', amount: '0.0001' }],
      ['setLimit', { amount: '0.0001' }, { amount: '0.00005' }],
      ['resolveOutcome', { cost: null }, { paid: true, cost: '0.000007' }],
      ['setLimit', { amount: '0.00005' }, null],
    ]);
    expect(state?.amount).toBe(100n);
  });
});
