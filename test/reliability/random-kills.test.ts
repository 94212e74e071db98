import { describe, expect, inject, test } from 'vitest';
import { hasDatabase } from '../support/database.ts';
import { seededRandom } from '../support/random.ts';
import { startRig } from '../support/rig.ts';
import { createStageTable } from './stage-table.ts';

const KILLS = 15;
const EDITS_PER_LIFE = 6;
const SEED = 20_261_122;
const MAX_LIFE_MS = 600;

describe.runIf(hasDatabase)('a process killed again and again', { timeout: 180_000 }, () => {
  test('loses no acknowledged edit, and pays for none twice', async () => {
    const random = seededRandom(SEED);
    const table = createStageTable(inject('databaseKind'));
    const rig = await startRig({ MAX_CONCURRENT_EDITS: '3' }, { delayMs: 100 });
    const acknowledged: string[] = [];

    async function submitUntilKilled(life: number): Promise<void> {
      for (let i = 0; i < EDITS_PER_LIFE; i++) {
        try {
          acknowledged.push(await rig.submit(`life ${life}, edit ${i}`));
        } catch {
          // Killed before it answered: nothing was promised.
          return;
        }
      }
    }
    for (let life = 0; life < KILLS; life++) {
      const submitting = submitUntilKilled(life);
      await new Promise((resolve) => setTimeout(resolve, random() * MAX_LIFE_MS));
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
