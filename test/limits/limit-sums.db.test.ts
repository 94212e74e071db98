import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LimitExceededError } from '../../src/errors.ts';
import type { EditMeasure } from '../../src/limits/limit-state.ts';
import { type LimitWindow, windowStart } from '../../src/limits/limit-window.ts';
import type { LimitTarget } from '../../src/limits/set-limit.ts';
import { hasDatabase } from '../support/database.ts';
import { type LimitedEdits, openLimitedEdits } from '../support/limited-edits.ts';
import { seededRandom } from '../support/random.ts';

const OWNERS = ['a', 'b'];
const PROJECTS = ['x', 'y'];
const STEPS = 150;
const HOUR_MS = 60 * 60 * 1_000;
const WINDOWS = ['HOUR', 'DAY', 'MONTH', 'TOTAL'] as const;
const ZONES = ['UTC', 'Asia/Kolkata', 'America/New_York'] as const;
const MEASURES = ['COST', 'TOKENS', 'EDITS', 'IMAGES', 'CONCURRENT_EDITS'] as const;

/** An edit as the test knows it. */
interface KnownEdit {
  readonly id: string;
  readonly ownerId: string;
  readonly apiKeyIds: readonly string[];
  readonly project: string;
  readonly at: Date;
  readonly outputTokens: number;
  /** What it reserves until its use is known, by measure. */
  readonly reserved: Partial<Record<EditMeasure, bigint>>;
  costPerToken: number | null;
  manualCost: bigint | null;
  totalTokens: number;
  outputs: number;
  state: 'QUEUED' | 'SUCCEEDED' | 'UNKNOWN' | 'ENDED';
}

interface KnownLimit {
  readonly target: LimitTarget;
  readonly measure: EditMeasure;
  readonly window: LimitWindow;
  readonly timeZone: string;
  readonly amount: bigint;
}

type Asked = Pick<KnownEdit, 'ownerId' | 'apiKeyIds' | 'project'>;

function applies({ target }: KnownLimit, { ownerId, apiKeyIds, project }: Asked): boolean {
  switch (target.subject) {
    case 'OWNER':
      return target.ownerId === ownerId;
    case 'API_KEY':
      return apiKeyIds.includes(target.apiKeyId);
    case 'METADATA':
      return target.metadataValue === project && (target.ownerId ?? ownerId) === ownerId;
  }
}

function costOf({ outputTokens, costPerToken, manualCost }: KnownEdit): bigint {
  return manualCost ?? BigInt(outputTokens * (costPerToken ?? 0));
}

describe.runIf(hasDatabase)('what a limit has settled and reserved', () => {
  let edits: LimitedEdits;

  beforeEach(async () => {
    edits = await openLimitedEdits();
  });
  afterEach(() => edits.close());

  test.each([1, 2, 3])('is the sum over its edits after any steps (seed %i)', async (seed) => {
    const random = seededRandom(seed);
    const below = (count: number) => Math.floor(random() * count);
    const pick = <Item>(items: readonly Item[]): Item => items[below(items.length)] as Item;
    const [parent, child] = [await edits.createKey('a'), await edits.createKey('b')];
    const keys = [[], [parent], [child, parent]];
    const metadata = { subject: 'METADATA', metadataKey: 'project' } as const;
    const targets: readonly LimitTarget[] = [
      { subject: 'OWNER', ownerId: 'a' },
      { subject: 'OWNER', ownerId: 'b' },
      { subject: 'API_KEY', apiKeyId: parent },
      { subject: 'API_KEY', apiKeyId: child },
      { ...metadata, metadataValue: 'x', ownerId: 'a' },
      { ...metadata, metadataValue: 'x', ownerId: null },
    ];
    const known: KnownEdit[] = [];
    const limits = new Map<string, KnownLimit>();
    let price: number | null = 1;
    let [inserted, rejected] = [0, 0];

    const sumsOf = (limit: KnownLimit) => {
      const { measure, window, timeZone } = limit;
      const start = windowStart(window, timeZone, edits.now());
      const counted = known.filter((edit) => applies(limit, edit) && edit.at >= start);
      const sum = (each: (edit: KnownEdit) => bigint) =>
        counted.reduce((all, edit) => all + each(edit), 0n);
      const settled = {
        COST: costOf,
        TOKENS: ({ totalTokens }: KnownEdit) => BigInt(totalTokens),
        EDITS: () => 1n,
        IMAGES: ({ outputs }: KnownEdit) => BigInt(outputs),
        CONCURRENT_EDITS: () => 0n,
      }[measure];
      const isActive = ({ state }: KnownEdit) => (state === 'QUEUED' ? 1n : 0n);
      const reserved =
        measure === 'CONCURRENT_EDITS'
          ? isActive
          : ({ reserved: of }: KnownEdit) => of[measure] ?? 0n;
      return { settled: sum(settled), reserved: sum(reserved) };
    };

    async function insert(): Promise<void> {
      const by = { ownerId: pick(OWNERS), apiKeyIds: pick(keys), project: pick(PROJECTS) };
      const applying = [...limits.values()].filter((limit) => applies(limit, by));
      const outputTokens = 1 + below(20);
      const n = 1 + below(3);
      const limited = new Set(applying.map(({ measure }) => measure));
      const bound = BigInt(outputTokens + below(10));
      const amounts: Partial<Record<EditMeasure, bigint>> = {
        EDITS: 1n,
        CONCURRENT_EDITS: 1n,
        IMAGES: BigInt(n),
        ...(limited.has('COST') && { COST: bound }),
        ...(limited.has('TOKENS') && { TOKENS: bound + 1n }),
      };
      const fits = applying.every((limit) => {
        const { settled, reserved } = sumsOf(limit);
        return settled + reserved + (amounts[limit.measure] ?? 0n) <= limit.amount;
      });
      const { ownerId, apiKeyIds, project } = by;
      const id = await edits
        .insert({
          ownerId,
          apiKeyIds,
          metadata: { project },
          n,
          cost: amounts.COST ?? null,
          tokens: amounts.TOKENS ?? null,
        })
        .catch((error: unknown) => {
          if (error instanceof LimitExceededError) return null;
          throw error;
        });
      expect(id !== null).toBe(fits);
      if (id === null) {
        rejected += 1;
        return;
      }
      inserted += 1;
      const held = (['COST', 'TOKENS', 'IMAGES'] as const).filter((measure) =>
        limited.has(measure),
      );
      known.push({
        id,
        ...by,
        at: edits.now(),
        outputTokens,
        reserved: Object.fromEntries(held.map((measure) => [measure, amounts[measure] ?? 0n])),
        costPerToken: null,
        manualCost: null,
        totalTokens: 0,
        outputs: 0,
        state: 'QUEUED',
      });
    }

    const release = (edit: KnownEdit, ...measures: EditMeasure[]) => {
      for (const measure of measures) delete edit.reserved[measure];
    };

    async function succeed(edit: KnownEdit): Promise<void> {
      const outputs = below(4);
      await edits.succeed(edit.id, edit.outputTokens, outputs);
      Object.assign(edit, { state: 'SUCCEEDED', outputs, totalTokens: edit.outputTokens + 1 });
      release(edit, 'IMAGES', 'TOKENS');
      if (price === null) return;
      edit.costPerToken = price;
      release(edit, 'COST');
    }

    async function end(): Promise<void> {
      const queued = known.filter(({ state }) => state === 'QUEUED');
      if (queued.length === 0) return;
      const edit = pick(queued);
      const { id, ownerId } = edit;
      const freeOfCharge = () => {
        edit.state = 'ENDED';
        release(edit, 'COST', 'TOKENS', 'IMAGES');
      };
      const others = [
        async () => {
          await edits.succeed(id, null, 1);
          Object.assign(edit, { state: 'UNKNOWN', outputs: 1 });
          release(edit, 'IMAGES');
        },
        async () => {
          await edits.fail(id);
          freeOfCharge();
        },
        async () => {
          await edits.loseOutcome(id);
          edit.state = 'UNKNOWN';
        },
        async () => void (await edits.requeue(id)),
        async () => {
          await edits.cancel(ownerId, id);
          freeOfCharge();
        },
        async () => {
          await edits.claim(id);
          await edits.cancel(ownerId, id);
          edit.state = 'UNKNOWN';
        },
      ];
      // As in life, most succeed.
      await (random() < 0.5 ? succeed(edit) : pick(others)());
    }

    async function resolve(): Promise<void> {
      const unknown = known.filter(({ state }) => state === 'UNKNOWN');
      if (unknown.length === 0) return;
      const edit = pick(unknown);
      const isPaid = random() < 0.5;
      edit.manualCost = isPaid ? BigInt(below(20)) : 0n;
      await edits.resolve(edit.id, edit.manualCost, { isPaid });
      release(edit, 'COST', ...(isPaid ? [] : (['TOKENS', 'IMAGES'] as const)));
    }

    async function setLimit(): Promise<void> {
      const target = pick(targets);
      const measure = pick(MEASURES);
      const window = measure === 'CONCURRENT_EDITS' ? 'TOTAL' : pick(WINDOWS);
      const timeZone = pick(ZONES);
      const most = { COST: 200, TOKENS: 200, EDITS: 30, IMAGES: 40, CONCURRENT_EDITS: 12 }[measure];
      const amount = random() < 0.3 ? null : BigInt(below(most));
      await edits.setLimit(target, { measure, window, timeZone, amount });
      const name = JSON.stringify([target, measure, window]);
      if (amount === null) limits.delete(name);
      else limits.set(name, { target, measure, window, timeZone, amount });
    }

    async function reprice(): Promise<void> {
      price = pick([1, 2, 3, null]);
      edits.setPrice(price);
      await edits.reprice();
      if (price === null) return;
      for (const edit of known.filter(({ state }) => state === 'SUCCEEDED')) {
        edit.costPerToken = price;
        release(edit, 'COST');
      }
    }

    const pass = () => edits.setClock(new Date(edits.now().getTime() + below(30) * HOUR_MS));

    for (let step = 0; step < STEPS; step += 1) {
      const at = random();
      if (at < 0.45) await insert();
      else if (at < 0.7) await end();
      else if (at < 0.76) await resolve();
      else if (at < 0.88) await setLimit();
      else if (at < 0.95) await reprice();
      else pass();
      const states = await edits.allLimits();
      expect(states).toHaveLength(limits.size);
      for (const limit of limits.values()) {
        const { target, measure, window } = limit;
        const state = states.find(
          (one) =>
            one.measure === measure &&
            one.window === window &&
            Object.entries(target).every(([key, value]) => one[key as keyof typeof one] === value),
        );
        expect(state, `${JSON.stringify({ step, target, measure, window })}`).toMatchObject(
          sumsOf(limit),
        );
      }
    }
    expect(inserted).toBeGreaterThan(STEPS / 10);
    expect(rejected).toBeGreaterThan(0);
  });

  test('is the sum also when edits are submitted, end and are repriced while limits are set', async () => {
    const key = await edits.createKey('a');
    const metadata = { subject: 'METADATA', metadataKey: 'project', metadataValue: 'x' } as const;
    const targets: readonly LimitTarget[] = [
      { subject: 'OWNER', ownerId: 'a' },
      { subject: 'OWNER', ownerId: 'b' },
      { subject: 'API_KEY', apiKeyId: key },
      { ...metadata, ownerId: null },
    ];
    const at = (i: number) => targets[i % targets.length] as LimitTarget;
    const windowOf = (measure: EditMeasure) => (measure === 'CONCURRENT_EDITS' ? 'TOTAL' : 'DAY');
    const set = (target: LimitTarget, measure: EditMeasure, amount: bigint | null) =>
      edits.setLimit(target, { measure, window: windowOf(measure), amount });
    for (const target of targets) await set(target, 'COST', 10_000n);
    edits.setPrice(2);
    const life = async (i: number) => {
      // Every fifth is as one that was submitted before there was a limit.
      const cost = i % 5 === 0 ? null : 10n;
      const id = await edits.insert({
        ownerId: OWNERS[i % 2] ?? '',
        cost,
        tokens: cost,
        apiKeyIds: i % 3 === 0 ? [key] : [],
        metadata: { project: PROJECTS[Math.floor(i / 2) % 2] ?? '' },
      });
      if (i % 7 === 0) return;
      const ends = [edits.succeed, edits.succeed, edits.fail, edits.loseOutcome];
      await ends[i % ends.length]?.(id, 3);
      if (i % ends.length === 3) await edits.resolve(id, 5n);
    };
    const disturb = async (i: number) => {
      if (i % 3 === 0) await edits.reprice();
      const measure = MEASURES[i % MEASURES.length] ?? 'COST';
      // Removed and created again: everything is summed up while edits come and end.
      if (i % 2 === 0) await set(at(i), measure, null);
      await set(at(i), measure, 10_000n + BigInt(i));
    };
    await Promise.all([
      ...Array.from({ length: 60 }, (_, i) => life(i)),
      ...Array.from({ length: 40 }, (_, i) => disturb(i)),
    ]);
    const counted = await edits.allLimits();
    expect(counted.length).toBeGreaterThan(targets.length * 2);
    for (const target of targets) {
      for (const measure of MEASURES) await set(target, measure, null);
    }
    for (const { subject, ownerId, measure, settled, reserved } of counted) {
      const target = targets.find(
        (one) => one.subject === subject && (one.subject !== 'OWNER' || one.ownerId === ownerId),
      );
      const summedUp = await set(target as LimitTarget, measure as EditMeasure, 20_000n);
      const name = { subject, ownerId, measure };
      expect({ ...name, settled, reserved }).toEqual({
        ...name,
        settled: summedUp?.settled,
        reserved: summedUp?.reserved,
      });
    }
  });
});
