import { brokenAnswer } from './answer-errors.ts';

const nothing = Buffer.alloc(0);

/**
 * What an escape sequence inside base64 text stands for: null while it is not whole, nothing for
 * the line breaks of MIME base64, else its one character.
 * @throws EditsApiError BROKEN_ANSWER for one that base64 has no use for
 */
export function takeEscape(sequence: string): Buffer | null {
  const kind = sequence[1];
  if (kind === 'n' || kind === 'r') return nothing;
  if (kind === '/') return Buffer.from('/');
  if (kind !== 'u') throw notBase64();
  if (sequence.length < 6) return null;
  const digits = sequence.slice(2);
  if (!/^00[0-7][0-9a-f]$/i.test(digits)) throw notBase64();
  const code = Number.parseInt(digits, 16);
  return code === 0x0a || code === 0x0d ? nothing : Buffer.of(code);
}

function notBase64() {
  return brokenAnswer('A picture in the answer is not base64: it has an escape that is not.');
}
