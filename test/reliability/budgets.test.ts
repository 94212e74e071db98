import { describe, expect, inject, test, vi } from 'vitest';
import { budgetOf, costAtMost, setBudget, usd } from '../support/budget-operations.ts';
import { hasDatabase } from '../support/database.ts';
import { type Rig, startRig } from '../support/service-processes.ts';

const EDITS = 10;
const REQUESTS = 200;

describe.runIf(hasDatabase)('a budget', () => {
  /** Of one length, and no two equal: those would wait for each other. */
  const prompt = (i: number) => `hat ${100 + i}`;
  const asked = ({ imageId }: Rig) => ({
    images: [{ id: imageId }],
    prompt: prompt(0),
    quality: 'LOW',
  });

  /** Sets it for so many edits; answers what one may cost, in micro-dollars. */
  async function budgetFor(rig: Rig, edits: number): Promise<number> {
    const cost = await costAtMost(rig, asked(rig));
    await setBudget(rig, { limit: usd(cost * edits), period: 'TOTAL' });
    return cost;
  }

  test('for 10 edits runs exactly 10 of 200 that come at once, over two processes', async () => {
    // Images of the size asked for, so that an edit costs what it holds and gives nothing back.
    const rig = await startRig({}, { fixedOutputBytes: null });
    const cost = await budgetFor(rig, EDITS);
    // The embedded database has one process.
    const second = inject('databaseKind') === 'postgres' ? await rig.startSecond() : rig;
    const answers = await Promise.all(
      Array.from({ length: REQUESTS }, (_, i) =>
        (i % 2 === 0 ? rig : second).edit({ ...asked(rig), prompt: prompt(i), wait: 0 }),
      ),
    );
    const ids = answers.flatMap(({ editJob }) => (editJob ? [editJob.id] : []));
    const refused = answers.filter(({ __typename }) => __typename === 'BudgetExceededError');
    expect([ids.length, refused.length]).toEqual([EDITS, REQUESTS - EDITS]);
    for (const id of ids) expect((await rig.final(id)).status).toBe('SUCCEEDED');
    expect(await rig.sandbox.stats()).toMatchObject({ requests: EDITS, paid: EDITS });
    const budget = await budgetOf(second);
    expect(budget).toMatchObject({ cost: usd(cost * EDITS), reserved: '0', remaining: '0' });
    expect(budget.cost).toBe(budget.limit);
  });

  test('is held after a SIGKILL while an edit was sent, and by its unknown outcome', async () => {
    const rig = await startRig();
    const cost = await budgetFor(rig, 1);
    await rig.sandbox.push({ kind: 'hang' });
    const { editJob } = await rig.edit({ ...asked(rig), wait: 0 });
    await vi.waitFor(async () => expect((await rig.sandbox.stats()).paid).toBe(1));
    await rig.service.kill();
    await rig.restart();
    const held = { cost: '0', reserved: usd(cost), remaining: '0' };
    expect(await budgetOf(rig)).toMatchObject(held);
    expect((await rig.final(editJob.id)).status).toBe('OUTCOME_UNKNOWN');
    expect(await budgetOf(rig)).toMatchObject(held);
    const refused = await rig.edit(asked(rig));
    expect(refused).toMatchObject({ __typename: 'BudgetExceededError', used: usd(cost) });
    expect(await rig.sandbox.stats()).toMatchObject({ requests: 1, paid: 1 });
  });

  test('is held when the edits API never answers, also after a restart', async () => {
    const rig = await startRig({ EDIT_TIMEOUT_SECONDS: '2' });
    const cost = await budgetFor(rig, 1);
    await rig.sandbox.push({ kind: 'hang' });
    const { editJob } = await rig.edit(asked(rig));
    expect(editJob).toMatchObject({ status: 'OUTCOME_UNKNOWN', error: { code: 'TIMEOUT' } });
    const held = { cost: '0', reserved: usd(cost), remaining: '0' };
    expect(await budgetOf(rig)).toMatchObject(held);
    await rig.service.kill();
    await rig.restart();
    expect(await budgetOf(rig)).toMatchObject(held);
    expect(await rig.edit(asked(rig))).toMatchObject({ __typename: 'BudgetExceededError' });
    expect(await rig.sandbox.stats()).toMatchObject({ requests: 1, paid: 1 });
  });
});
