import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BudgetExceededError } from '../../src/errors.ts';
import { type BudgetPeriod, periodStart } from '../../src/limits/budget-period.ts';
import { type BudgetedEdits, openBudgetedEdits } from '../support/budgeted-edits.ts';
import { hasDatabase } from '../support/database.ts';
import { seededRandom } from '../support/random.ts';

const OWNERS = ['a', 'b'];
const STEPS = 120;
const HOUR_MS = 60 * 60 * 1_000;

/** An edit as the test knows it. */
interface KnownEdit {
  readonly id: string;
  readonly ownerId: string;
  readonly at: Date;
  readonly tokens: number;
  /** What it holds until its cost is known. */
  held: bigint;
  costPerToken: number | null;
  state: 'QUEUED' | 'SUCCEEDED' | 'ENDED';
}

describe.runIf(hasDatabase)('what a budget has spent and holds', () => {
  let edits: BudgetedEdits;

  beforeEach(async () => {
    edits = await openBudgetedEdits();
  });
  afterEach(() => edits.close());

  test.each([1, 2, 3])('is the sum over its edits after any steps (seed %i)', async (seed) => {
    const random = seededRandom(seed);
    const below = (count: number) => Math.floor(random() * count);
    const pick = <Item>(items: readonly Item[]): Item | undefined => items[below(items.length)];
    const known: KnownEdit[] = [];
    const limits = new Map<string, { limit: bigint; period: BudgetPeriod }>();
    let price: number | null = 1;

    const usedBy = (ownerId: string, period: BudgetPeriod) => {
      const start = periodStart(period, edits.now());
      const counted = known.filter((edit) => edit.ownerId === ownerId && edit.at >= start);
      const cost = ({ tokens, costPerToken }: KnownEdit) => BigInt(tokens * (costPerToken ?? 0));
      return {
        spentMicroUsd: counted.reduce((sum, edit) => sum + cost(edit), 0n),
        reservedMicroUsd: counted.reduce((sum, { held }) => sum + held, 0n),
      };
    };

    const steps: (() => Promise<void>)[] = [
      async function insert() {
        const ownerId = pick(OWNERS) ?? '';
        const budget = limits.get(ownerId);
        const tokens = 1 + below(20);
        const hold = budget ? BigInt(tokens + below(10)) : null;
        const { spentMicroUsd, reservedMicroUsd } = usedBy(ownerId, budget?.period ?? 'TOTAL');
        const fits = !budget || spentMicroUsd + reservedMicroUsd + (hold ?? 0n) <= budget.limit;
        const id = await edits.insert(ownerId, hold).catch((error: unknown) => {
          if (error instanceof BudgetExceededError) return null;
          throw error;
        });
        expect(id !== null).toBe(fits);
        const at = edits.now();
        const rest = { held: hold ?? 0n, costPerToken: null, state: 'QUEUED' as const };
        if (id !== null) known.push({ id, ownerId, at, tokens, ...rest });
      },
      async function end() {
        const edit = pick(known.filter(({ state }) => state === 'QUEUED'));
        if (edit === undefined) return;
        const { id, ownerId, tokens } = edit;
        const release = () => Object.assign(edit, { held: 0n, state: 'ENDED' });
        const ends = [
          async () => {
            await edits.succeed(id, tokens);
            edit.state = 'SUCCEEDED';
            if (price === null) return;
            edit.costPerToken = price;
            edit.held = 0n;
          },
          async () => {
            await edits.succeed(id, null);
            edit.state = 'ENDED';
          },
          async () => {
            await edits.fail(id);
            release();
          },
          async () => {
            await edits.loseOutcome(id);
            edit.state = 'ENDED';
          },
          async () => void (await edits.requeue(id)),
          async () => {
            await edits.cancel(ownerId, id);
            release();
          },
          async () => {
            await edits.claim(id);
            await edits.cancel(ownerId, id);
            edit.state = 'ENDED';
          },
        ];
        // As in life, most succeed.
        await (random() < 0.5 ? ends[0] : pick(ends))?.();
      },
      async function setBudget() {
        const ownerId = pick(OWNERS) ?? '';
        const isRemoved = random() < 0.2;
        const limit = BigInt(below(200));
        const period = pick(['DAY', 'MONTH', 'TOTAL'] as const) ?? 'DAY';
        await edits.setBudget(ownerId, { limitMicroUsd: isRemoved ? null : limit, period });
        if (isRemoved) limits.delete(ownerId);
        else limits.set(ownerId, { limit, period });
      },
      async function pass() {
        edits.setClock(new Date(edits.now().getTime() + below(30) * HOUR_MS));
      },
      async function reprice() {
        price = pick([1, 2, 3, null]) ?? null;
        edits.setPrice(price);
        await edits.reprice();
        if (price === null) return;
        for (const edit of known.filter(({ state }) => state === 'SUCCEEDED')) {
          edit.costPerToken = price;
          edit.held = 0n;
        }
      },
    ];

    await edits.setBudget('a', { limitMicroUsd: 100n, period: 'DAY' });
    limits.set('a', { limit: 100n, period: 'DAY' });
    for (let step = 0; step < STEPS; step += 1) {
      const at = below(10);
      await steps[at < 4 ? 0 : at < 7 ? 1 : at - 5]?.();
      for (const ownerId of OWNERS) {
        const budget = limits.get(ownerId);
        const state = await edits.budgets.find(ownerId);
        if (budget === undefined) expect(state).toBeNull();
        else expect(state).toMatchObject(usedBy(ownerId, budget.period));
      }
    }
    expect(known.length).toBeGreaterThan(STEPS / 10);
  });

  test('is the sum also when edits come, end, are priced anew and budgets are set at once', async () => {
    await Promise.all(
      OWNERS.map((owner) => edits.setBudget(owner, { limitMicroUsd: 10_000n, period: 'DAY' })),
    );
    edits.setPrice(2);
    const life = async (i: number) => {
      const owner = OWNERS[i % 2] ?? '';
      // Every fifth is as one that was let in before there was a budget.
      const id = await edits.insert(owner, i % 5 === 0 ? null : 10n);
      const ends = [edits.succeed, edits.succeed, edits.fail, edits.loseOutcome];
      await ends[i % ends.length]?.(id, 3);
    };
    const disturb = async (i: number) => {
      if (i % 2 === 0) await edits.reprice();
      const limitMicroUsd = 10_000n + BigInt(i);
      await edits.setBudget(OWNERS[i % 2] ?? '', { limitMicroUsd, period: null });
    };
    await Promise.all([
      ...Array.from({ length: 60 }, (_, i) => life(i)),
      ...Array.from({ length: 12 }, (_, i) => disturb(i)),
    ]);
    for (const owner of OWNERS) {
      const kept = await edits.budgets.find(owner);
      const summedUp = await edits.setBudget(owner, {
        limitMicroUsd: kept?.limitMicroUsd ?? 0n,
        period: null,
      });
      expect(kept).toEqual(summedUp);
      expect(kept?.spentMicroUsd).toBe(15n * 6n);
    }
  });
});
