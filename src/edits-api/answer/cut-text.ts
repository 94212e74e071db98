/** Longer than any key. */
const MAX_WORD_LENGTH = 300;

/**
 * At most `length` characters, cut at a word boundary, because the redactor would not recognise a
 * part of a key.
 */
export function cutText(text: string, length: number): string {
  if (text.length <= length) return text;
  const cut = text.slice(0, length);
  const isCutWord = /\S/.test(text.charAt(length));
  return isCutWord ? cut.replace(new RegExp(`\\S{1,${MAX_WORD_LENGTH}}$`), '') : cut;
}
