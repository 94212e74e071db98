import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { LimitExceededError } from '../../src/errors.ts';
import type { LimitTarget } from '../../src/limits/set-limit.ts';
import { hasDatabase } from '../support/database.ts';
import { type LimitedEdits, openLimitedEdits } from '../support/limited-edits.ts';
import { seededRandom } from '../support/random.ts';
import { createRelease010 } from '../support/release-0-1-0.ts';

const OWNER = 'a';
const TARGET: LimitTarget = { subject: 'OWNER', ownerId: OWNER };
const PERIODS = ['DAY', 'MONTH', 'TOTAL'] as const;

describe.runIf(hasDatabase)('a budget of 0.1.0 and the limit of this release', () => {
  let edits: LimitedEdits;
  let old: ReturnType<typeof createRelease010>;

  beforeEach(async () => {
    edits = await openLimitedEdits();
    old = createRelease010(edits);
  });
  afterEach(() => edits.close());

  /** The owner's limits, by window, without what never differs. */
  async function limits() {
    const states = await edits.allLimits();
    return states.map(({ window, amount, settled, reserved }) => [
      window,
      amount,
      settled,
      reserved,
    ]);
  }

  async function budget() {
    const found = await old.findBudget(OWNER);
    if (found === null) return null;
    const { period, limitMicroUsd, spentMicroUsd, reservedMicroUsd } = found;
    return [period, limitMicroUsd, spentMicroUsd, reservedMicroUsd];
  }

  test('are the same: what 0.1.0 sets, reserves and settles counts in the limit', async () => {
    await old.setBudget(OWNER, 50n);
    expect(await edits.allLimits()).toMatchObject([
      { ...TARGET, measure: 'COST', window: 'MONTH', timeZone: 'UTC', amount: 50n },
    ]);
    const [one, two, three] = [
      await old.insert(OWNER, 10n),
      await old.insert(OWNER, 20n),
      await old.insert(OWNER, 5n),
    ];
    expect(await limits()).toEqual([['MONTH', 50n, 0n, 35n]]);
    await expect(edits.insert({ ownerId: OWNER, cost: 16n })).rejects.toThrow(LimitExceededError);
    await old.end({ jobId: one, ownerId: OWNER, costMicroUsd: 7n });
    await old.end({ jobId: two, ownerId: OWNER, costMicroUsd: null });
    await old.end({ jobId: three, ownerId: OWNER, costMicroUsd: 0n });
    expect(await limits()).toEqual([['MONTH', 50n, 7n, 20n]]);
    await old.reprice([{ jobId: two, amountMicroUsd: 3n }]);
    expect(await limits()).toEqual([['MONTH', 50n, 10n, 0n]]);
    await old.setBudget(OWNER, 12n, 'TOTAL');
    expect(await limits()).toEqual([['TOTAL', 12n, 10n, 0n]]);
    await old.setBudget(OWNER, null);
    expect(await limits()).toEqual([]);
  });

  test('are the same: what this release sets, reserves and settles counts in the budget', async () => {
    await edits.setLimit(TARGET, { window: 'MONTH', amount: 50n });
    const [one, two, three] = [
      await edits.insert({ ownerId: OWNER, cost: 10n }),
      await edits.insert({ ownerId: OWNER, cost: 20n }),
      await edits.insert({ ownerId: OWNER, cost: 5n }),
    ];
    expect(await budget()).toEqual(['MONTH', 50n, 0n, 35n]);
    await expect(old.insert(OWNER, 16n)).rejects.toThrow('exceeds the budget');
    await edits.succeed(one, 7);
    await edits.loseOutcome(two);
    await edits.fail(three);
    expect(await budget()).toEqual(['MONTH', 50n, 7n, 20n]);
    await edits.resolve(two, 3n);
    edits.setPrice(2);
    await edits.reprice();
    expect(await budget()).toEqual(['MONTH', 50n, 17n, 0n]);
    await edits.setLimit(TARGET, { window: 'MONTH', amount: 20n });
    expect(await budget()).toEqual(['MONTH', 20n, 17n, 0n]);
    await edits.setLimit(TARGET, { window: 'MONTH', amount: null });
    expect(await budget()).toBeNull();
  });

  test('have nothing reserved for an edit that one release submitted and the other ended', async () => {
    await old.setBudget(OWNER, 100n);
    await edits.setLimit(TARGET, { measure: 'IMAGES', amount: 100n });
    await edits.setLimit(TARGET, { measure: 'TOKENS', amount: 100n });
    const [ofOld, ofNew] = [
      await old.insert(OWNER, 10n),
      await edits.insert({ ownerId: OWNER, cost: 20n, tokens: 30n, n: 2 }),
    ];
    expect(await budget()).toEqual(['MONTH', 100n, 0n, 30n]);
    await old.end({ jobId: ofNew, ownerId: OWNER, costMicroUsd: 6n });
    await edits.succeed(ofOld, 4);
    expect(await budget()).toEqual(['MONTH', 100n, 10n, 0n]);
    expect(await edits.prisma.limitReservation.count({ where: { measure: 'COST' } })).toBe(2);
  });

  test('are one limit of several, which 0.1.0 keeps until it is removed or has another time zone', async () => {
    const set = (window: 'DAY' | 'HOUR' | 'MONTH' | 'TOTAL', amount: bigint | null) =>
      edits.setLimit(TARGET, { window, amount });
    await set('HOUR', 1n);
    expect(await budget()).toBeNull();
    await edits.setLimit({ subject: 'OWNER', ownerId: 'b' }, { window: 'TOTAL', amount: 9n });
    await set('DAY', 2n);
    await set('MONTH', 3n);
    await set('TOTAL', 4n);
    expect(await budget()).toEqual(['DAY', 2n, 0n, 0n]);
    await set('DAY', null);
    expect(await budget()).toEqual(['TOTAL', 4n, 0n, 0n]);
    const timeZone = 'Asia/Kolkata';
    await edits.setLimit(TARGET, { window: 'TOTAL', timeZone, amount: 4n });
    expect(await budget()).toEqual(['MONTH', 3n, 0n, 0n]);
    // The budget replaces the limit of its new window.
    await old.setBudget(OWNER, 5n, 'TOTAL');
    expect(await budget()).toEqual(['TOTAL', 5n, 0n, 0n]);
    const own = (await edits.allLimits()).filter(({ ownerId }) => ownerId === OWNER);
    expect(own.map(({ window }) => window).sort()).toEqual(['HOUR', 'TOTAL']);
  });

  test('stay with the limit that was the budget when rows are restored in any order, or get another owner', async () => {
    await edits.setLimit(TARGET, { window: 'DAY', amount: 2n });
    await edits.setLimit(TARGET, { window: 'TOTAL', amount: 4n });
    const { prisma } = edits;
    const rows = await prisma.$queryRaw<{ row: string }[]>`
      SELECT to_jsonb("Limit")::text AS row FROM "Limit" ORDER BY "window"`;
    for (const order of [rows, rows.toReversed()]) {
      await prisma.$executeRaw`DELETE FROM "Limit"`;
      for (const { row } of order) {
        await prisma.$executeRaw`
          INSERT INTO "Limit" SELECT * FROM jsonb_populate_record(NULL::"Limit", ${row}::jsonb)`;
      }
      expect(await budget()).toEqual(['DAY', 2n, 0n, 0n]);
    }
    await prisma.$executeRaw`UPDATE "Limit" SET "ownerId" = 'b' WHERE "ownerId" = ${OWNER}`;
    expect(await budget()).toBeNull();
    expect(await old.findBudget('b')).toMatchObject({ period: 'DAY', limitMicroUsd: 2n });
  });

  test.each([1, 2, 3])(
    'are the sum over the edits after any steps of both (seed %i)',
    async (seed) => {
      const random = seededRandom(seed);
      const below = (count: number) => Math.floor(random() * count);
      const queued = new Map<string, bigint>();
      const steps = {
        async insert(isOld: boolean) {
          const cost = BigInt(1 + below(9));
          const inserted = isOld ? old.insert(OWNER, cost) : edits.insert({ ownerId: OWNER, cost });
          queued.set(await inserted, cost);
        },
        async end(isOld: boolean) {
          const [jobId] = [...queued.keys()].slice(below(queued.size));
          if (jobId === undefined) return;
          queued.delete(jobId);
          const cost = below(4) === 0 ? null : below(9);
          const costMicroUsd = cost === null ? null : BigInt(cost);
          if (isOld) await old.end({ jobId, ownerId: OWNER, costMicroUsd });
          else if (cost === null) await edits.loseOutcome(jobId);
          else await edits.succeed(jobId, cost);
        },
        async reprice(isOld: boolean) {
          const jobs = await edits.prisma.editJob.findMany({
            where: { status: 'OUTCOME_UNKNOWN', costMicroUsd: null },
            take: 3,
          });
          if (isOld) {
            const amount = (id: string) => ({ jobId: id, amountMicroUsd: BigInt(below(9)) });
            await old.reprice(jobs.map(({ id }) => amount(id)));
          } else for (const { id } of jobs) await edits.resolve(id, BigInt(below(9)));
        },
        async set(isOld: boolean) {
          const before = await old.findBudget(OWNER);
          const amount = BigInt(1_000 + below(9));
          const window = PERIODS[below(3)] ?? 'MONTH';
          if (isOld) return old.setBudget(OWNER, before && below(4) === 0 ? null : amount, window);
          if (before !== null && below(2) === 0) {
            return edits.setLimit(TARGET, { window: before.period, amount: null });
          }
          return edits.setLimit(TARGET, { window: before?.period ?? window, amount });
        },
        pass: async () => edits.setClock(new Date(edits.now().getTime() + below(30) * 3_600_000)),
      };
      const weighted = [
        'insert',
        'insert',
        'insert',
        'end',
        'end',
        'reprice',
        'set',
        'pass',
      ] as const;
      for (let step = 0; step < 100; step += 1) {
        await steps[weighted[below(weighted.length)] ?? 'insert'](random() < 0.5);
        const [limit, ...others] = await edits.allLimits();
        expect(others).toEqual([]);
        if (limit === undefined) {
          expect(await budget()).toBeNull();
          continue;
        }
        expect(await old.findBudget(OWNER)).toMatchObject({
          period: limit.window,
          limitMicroUsd: limit.amount,
        });
        const [sums] = await edits.prisma.$queryRaw<object[]>`
        SELECT coalesce(sum(job."costMicroUsd"), 0)::bigint AS settled,
          coalesce(sum(held.amount) FILTER (WHERE held."settledAt" IS NULL), 0)::bigint AS reserved
        FROM "EditJob" AS job LEFT JOIN "LimitReservation" AS held
          ON held."jobId" = job.id AND held.measure = 'COST'
        WHERE coalesce(held."reservedAt", job."createdAt") >= ${limit.windowStart}`;
        expect({ step, settled: limit.settled, reserved: limit.reserved }).toEqual({
          step,
          ...sums,
        });
      }
    },
  );

  test.runIf(inject('databaseKind') === 'postgres')(
    'are exact, and no edit fails, while both releases submit and end edits and set them',
    async () => {
      await old.setBudget(OWNER, 100_000n);
      const life = async (i: number) => {
        const jobId = await (i % 2 === 0
          ? old.insert(OWNER, 10n)
          : edits.insert({ ownerId: OWNER, cost: 10n }));
        if (i % 7 === 0) return;
        if (i % 3 === 0) await old.end({ jobId, ownerId: OWNER, costMicroUsd: 3n });
        else await edits.succeed(jobId, 3);
      };
      const change = async (i: number) => {
        if (i % 2 === 0) await old.setBudget(OWNER, 100_000n + BigInt(i));
        else await edits.setLimit(TARGET, { window: 'MONTH', amount: 100_000n + BigInt(i) });
      };
      await Promise.all([
        ...Array.from({ length: 80 }, (_, i) => life(i)),
        ...Array.from({ length: 20 }, (_, i) => change(i)),
      ]);
      const unended = Array.from({ length: 80 }, (_, i) => i).filter((i) => i % 7 === 0).length;
      const [, , spent, reserved] = (await budget()) ?? [];
      expect({ spent, reserved }).toEqual({
        spent: BigInt((80 - unended) * 3),
        reserved: BigInt(unended * 10),
      });
      expect((await limits())[0]?.slice(2)).toEqual([spent, reserved]);
    },
  );
});
