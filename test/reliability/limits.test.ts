import { describe, expect, inject, test, vi } from 'vitest';
import { hasDatabase } from '../support/database.ts';
import { costAtMost, costLimitOf, setLimit, usd } from '../support/limit-operations.ts';
import { type Rig, startRig } from '../support/service-processes.ts';

const EDITS = 10;
const REQUESTS = 200;

describe.runIf(hasDatabase)('a limit on cost', () => {
  /** Of one length, and no two equal: those would wait for each other. */
  const prompt = (i: number) => `hat ${100 + i}`;
  const asked = ({ imageId }: Rig) => ({
    images: [{ id: imageId }],
    prompt: prompt(0),
    quality: 'LOW',
  });

  /** Sets it for so many edits; returns the maximum cost of one, in micro-dollars. */
  async function limitFor(rig: Rig, edits: number): Promise<number> {
    const cost = await costAtMost(rig, asked(rig));
    await setLimit(rig, { amount: usd(cost * edits), window: 'TOTAL' });
    return cost;
  }

  test('for 10 edits runs exactly 10 of 200 that come at once, over two processes', async () => {
    // Images of the size asked for, so that an edit costs what it has reserved.
    const rig = await startRig({}, { fixedOutputBytes: null });
    const cost = await limitFor(rig, EDITS);
    // The embedded database has one process.
    const second = inject('databaseKind') === 'postgres' ? await rig.startSecond() : rig;
    const answers = await Promise.all(
      Array.from({ length: REQUESTS }, (_, i) =>
        (i % 2 === 0 ? rig : second).edit({ ...asked(rig), prompt: prompt(i), wait: 0 }),
      ),
    );
    const ids = answers.flatMap(({ editJob }) => (editJob ? [editJob.id] : []));
    const rejected = answers.filter(({ __typename }) => __typename === 'LimitExceededError');
    expect([ids.length, rejected.length]).toEqual([EDITS, REQUESTS - EDITS]);
    for (const id of ids) expect((await rig.final(id)).status).toBe('SUCCEEDED');
    expect(await rig.sandbox.stats()).toMatchObject({ requests: EDITS, paid: EDITS });
    const limit = await costLimitOf(second);
    expect(limit).toMatchObject({ used: usd(cost * EDITS), reserved: '0', remaining: '0' });
    expect(limit.used).toBe(limit.amount);
  });

  test('stays reserved after a SIGKILL while an edit was sent, and after its unknown outcome', async () => {
    const rig = await startRig();
    const cost = await limitFor(rig, 1);
    await rig.sandbox.push({ kind: 'hang' });
    const { editJob } = await rig.edit({ ...asked(rig), wait: 0 });
    await vi.waitFor(async () => expect((await rig.sandbox.stats()).paid).toBe(1));
    await rig.service.kill();
    await rig.restart();
    const reserved = { used: usd(cost), reserved: usd(cost), remaining: '0' };
    expect(await costLimitOf(rig)).toMatchObject(reserved);
    expect((await rig.final(editJob.id)).status).toBe('OUTCOME_UNKNOWN');
    expect(await costLimitOf(rig)).toMatchObject(reserved);
    const rejected = await rig.edit(asked(rig));
    expect(rejected).toMatchObject({ __typename: 'LimitExceededError', used: usd(cost) });
    expect(await rig.sandbox.stats()).toMatchObject({ requests: 1, paid: 1 });
  });

  test('stays reserved when the upstream never responds, also after a restart', async () => {
    const rig = await startRig({ EDIT_TIMEOUT_SECONDS: '2' });
    const cost = await limitFor(rig, 1);
    await rig.sandbox.push({ kind: 'hang' });
    const { editJob } = await rig.edit(asked(rig));
    expect(editJob).toMatchObject({ status: 'OUTCOME_UNKNOWN', error: { code: 'TIMEOUT' } });
    const reserved = { used: usd(cost), reserved: usd(cost), remaining: '0' };
    expect(await costLimitOf(rig)).toMatchObject(reserved);
    await rig.service.kill();
    await rig.restart();
    expect(await costLimitOf(rig)).toMatchObject(reserved);
    expect(await rig.edit(asked(rig))).toMatchObject({ __typename: 'LimitExceededError' });
    expect(await rig.sandbox.stats()).toMatchObject({ requests: 1, paid: 1 });
  });
});
