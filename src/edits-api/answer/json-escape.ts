const nothing = Buffer.alloc(0);
/** Replaces an escape that is invalid in base64, so that decoding fails. */
const notBase64 = Buffer.from('!');

/**
 * The character of an escape sequence inside base64 text: null if the sequence is incomplete, empty
 * for white space, such as the line breaks of MIME base64.
 */
export function takeEscape(sequence: string): Buffer | null {
  const kind = sequence[1];
  if (kind === 'n' || kind === 'r' || kind === 't') return nothing;
  if (kind === '/') return Buffer.from('/');
  if (kind !== 'u') return notBase64;
  if (sequence.length < 6) return null;
  const digits = sequence.slice(2);
  if (!/^00[0-7][0-9a-f]$/i.test(digits)) return notBase64;
  const code = Number.parseInt(digits, 16);
  return [0x09, 0x0a, 0x0d, 0x20].includes(code) ? nothing : Buffer.of(code);
}
