/**
 * Decimal numbers as text and as a whole number of their smallest unit, such as US dollars and
 * micro-dollars (6 fraction digits). Exact both ways; pure.
 */

/** Fraction digits of an amount in US dollars: it is kept in micro-dollars. */
export const USD_FRACTION_DIGITS = 6;

/**
 * Null unless it is an unsigned decimal such as `0.25` or `40`, with at most so many fraction digits
 * and at most 12 before them.
 */
export function parseDecimal(text: string, fractionDigits: number): bigint | null {
  const match = /^(\d{1,12})(?:\.(\d{1,12}))?$/.exec(text);
  const [, whole = '', fraction = ''] = match ?? [];
  if (match === null || fraction.length > fractionDigits) return null;
  return BigInt(whole + fraction.padEnd(fractionDigits, '0'));
}

/** The shortest text that is exact: `1234567n` with 6 fraction digits is `1.234567`, `40000000n` is `40`. */
export function formatDecimal(units: bigint, fractionDigits: number): string {
  const digits = (units < 0n ? -units : units).toString().padStart(fractionDigits + 1, '0');
  const whole = digits.slice(0, digits.length - fractionDigits);
  const fraction = digits.slice(digits.length - fractionDigits).replace(/0+$/, '');
  return `${units < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}
