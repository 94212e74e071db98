import { parse } from 'range-parser';

export type ByteRange = { readonly start: number; readonly end: number };

/**
 * Parses a `Range` header for `bytes` bytes (RFC 9110, 14.1.2; both ends inclusive). `null` to send
 * everything (no range, another unit, malformed, or several ranges, which a server may ignore);
 * `unsatisfiable` for 416.
 */
export function parseByteRange(
  header: string | undefined,
  bytes: number,
): ByteRange | 'unsatisfiable' | null {
  const { code, type, ranges } = parse(bytes, header ?? '');
  const isMalformed = (code & 1) === 1;
  if (type !== 'bytes' || isMalformed || ranges.length > 1) return null;
  return ranges[0] ?? 'unsatisfiable';
}
