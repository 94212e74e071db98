/**
 * Converts decimal text to and from an integer of its smallest unit, such as US dollars and
 * micro-dollars (6 fraction digits). Exact; pure.
 */

/** Fraction digits of an amount in US dollars, which is stored in micro-dollars. */
export const USD_FRACTION_DIGITS = 6;

/**
 * Null unless the text is an unsigned decimal such as `0.25` or `40`, with at most `fractionDigits`
 * fraction digits and at most 12 integer digits.
 */
export function parseDecimal(text: string, fractionDigits: number): bigint | null {
  const match = /^(\d{1,12})(?:\.(\d{1,12}))?$/.exec(text);
  const [, whole = '', fraction = ''] = match ?? [];
  if (match === null || fraction.length > fractionDigits) return null;
  return BigInt(whole + fraction.padEnd(fractionDigits, '0'));
}

/**
 * The shortest exact text: `1234567n` with 6 fraction digits is `1.234567`, `40000000n` is `40`.
 */
export function formatDecimal(units: bigint, fractionDigits: number): string {
  const digits = (units < 0n ? -units : units).toString().padStart(fractionDigits + 1, '0');
  const whole = digits.slice(0, digits.length - fractionDigits);
  const fraction = digits.slice(digits.length - fractionDigits).replace(/0+$/, '');
  return `${units < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}
