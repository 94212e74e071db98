/** Maximum length of an owner id. */
export const MAX_OWNER_CHARACTERS = 255;

/** Whether a text can be an owner id: 1 to 255 characters, none of them a control character. */
export function isOwnerId(text: string): boolean {
  return text.length <= MAX_OWNER_CHARACTERS && /^[^\p{Cc}\p{Cs}]+$/u.test(text);
}
