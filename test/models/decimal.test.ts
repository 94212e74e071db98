import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDecimal, parseDecimal } from '../../src/models/decimal.ts';

describe('a decimal', () => {
  it.each([
    ['40.00', 40_000_000n],
    ['0.25', 250_000n],
    ['0.000001', 1n],
    ['0', 0n],
  ])('%s is read exactly', (text, units) => {
    expect(parseDecimal(text, 6)).toBe(units);
  });

  it.each(['', '.5', '5.', '-1', '1e3', '1,5', ' 1', '0.0000001', '1234567890123'])(
    '%j is none',
    (text) => {
      expect(parseDecimal(text, 6)).toBeNull();
    },
  );

  it.each([
    [1_234_567n, '1.234567'],
    [40_000_000n, '40'],
    [1n, '0.000001'],
    [0n, '0'],
    [-42_300n, '-0.0423'],
  ])('of %d millionths is written as %s', (units, text) => {
    expect(formatDecimal(units, 6)).toBe(text);
  });

  it('is the same number after it was written and read', () => {
    fc.assert(
      fc.property(
        fc.bigInt(0n, 10n ** 12n - 1n),
        fc.integer({ min: 0, max: 9 }),
        (units, digits) => {
          expect(parseDecimal(formatDecimal(units, digits), digits)).toBe(units);
        },
      ),
    );
  });
});
