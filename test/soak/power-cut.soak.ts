import { describe, inject, test } from 'vitest';
import { cutPower } from '../support/power-cuts.ts';

const SEEDS = Array.from({ length: 20 }, (_, index) => index + 1);

describe.runIf(inject('databaseKind') === 'pglite')('200 power cuts', () => {
  test.each(SEEDS)('lose no edit that was acknowledged, with seed %i', async (seed) => {
    await cutPower({ cuts: 10, seed });
  });
});
