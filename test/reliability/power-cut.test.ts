import { describe, inject, test } from 'vitest';
import { cutPower } from '../support/power-cuts.ts';

describe.runIf(inject('databaseKind') === 'pglite')('a power cut', () => {
  test('loses no edit that was acknowledged, nor its images, charge or answer', {
    timeout: 600_000,
  }, async () => {
    await cutPower({ cuts: 10, seed: 10 });
  });
});
