import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, inject, test } from 'vitest';
import { hasDatabase } from '../support/database.ts';
import { seededRandom } from '../support/random.ts';
import { startRig } from '../support/service-processes.ts';
import { createStageTable } from './stage-table.ts';

const KILLS = 15;
const EDITS_PER_LIFE = 6;
const SEED = 20_261_122;
/** From a life's last awaited acknowledgement to its end. */
const MAX_DELAY_MS = 300;

describe.runIf(hasDatabase)('a process killed again and again', () => {
  test('loses no acknowledged edit, and pays for none twice', async () => {
    const random = seededRandom(SEED);
    const table = createStageTable(inject('databaseKind'));
    const rig = await startRig({ MAX_CONCURRENT_EDITS: '3' }, { delayMs: 100 });
    const acknowledged: string[] = [];

    /** `reached` is called once so many are acknowledged: a life does not depend on how fast it is. */
    async function submitUntilKilled(life: number, count: number, reached: () => void) {
      for (let i = 0; i < EDITS_PER_LIFE; i++) {
        if (i === count) reached();
        try {
          acknowledged.push(await rig.submit(`life ${life}, edit ${i}`));
        } catch {
          // Killed before it answered: nothing was promised.
          return;
        }
      }
    }
    for (let life = 0; life < KILLS; life++) {
      const { promise: due, resolve } = Promise.withResolvers<void>();
      const count = Math.floor(random() * EDITS_PER_LIFE);
      const submitting = submitUntilKilled(life, count, resolve).finally(resolve);
      await due;
      await delay(random() * MAX_DELAY_MS);
      await rig.service.kill();
      await submitting;
      await rig.restart();
    }
    expect(acknowledged.length).toBeGreaterThan(KILLS);
    for (const id of acknowledged) {
      expect((await rig.final(id)).status).toMatch(/^(SUCCEEDED|OUTCOME_UNKNOWN)$/);
    }
    const { requests, paid } = await rig.sandbox.stats();
    // The statistics by prompt must reach back to the first.
    expect(requests).toBeLessThanOrEqual(100);
    await table.add(rig, `${KILLS} kills at random moments`, acknowledged, { paidAtMost: paid });
    table.print();
  });
});
