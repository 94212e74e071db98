import { spellingsOf } from './secret-spellings.ts';
import { storableText } from './storable-text.ts';

const maxMessageLength = 2000;
const mark = '[redacted]';

/** A key of OpenAI, whole or as OpenAI shortens it: `sk-proj-****abcd`, `sk-ab...wxyz`, `sk-ab***`. */
const LIKE_KEY = /(?<![\p{L}\p{N}])sk-(?:[\w*•…-]|\.+(?=[\w*]))+/giu;
/** An organisation or a project of OpenAI. */
const LIKE_ORGANIZATION = /(?<![\p{L}\p{N}_-])(?:org-|proj_)(?:[\w*•…-]|\.+(?=[\w*]))+/gu;
/** The same behind its noun, however short. */
const NAMED_ORGANIZATION =
  /(?<=(?:organi[sz]ations?|projects?)(?:[\s_-]?ids?)?\W{1,6})(?:org-|proj_)(?:[\w*•…-]|\.+(?=[\w*]))+/giu;

/**
 * Makes what the upstream said fit to be shown: without the keys in any spelling, without anything
 * that looks like a key, an organisation or a project of OpenAI, at most 2,000 characters long, and
 * as the database can store it.
 */
export function createRedactor(keys: readonly string[]): (text: string) => string {
  const patterns = [...new Set(keys)].filter((key) => key !== '').flatMap(spellingsOf);
  return (text) => {
    const redacted = patterns
      .reduce((rest, pattern) => rest.replaceAll(pattern, mark), text)
      .replaceAll(LIKE_KEY, (found) => (isWord(found.slice('sk-'.length)) ? found : mark))
      .replaceAll(NAMED_ORGANIZATION, mark)
      .replaceAll(LIKE_ORGANIZATION, (found) =>
        isWord(found.slice('org-'.length)) ? found : mark,
      );
    return storableText(redacted.slice(0, maxMessageLength));
  };
}

/** As behind `org-` in `org-wide`. What is random is long, or has digits or capitals. */
function isWord(text: string): boolean {
  return text.length <= 8 && /^[A-Z]*[a-z]*$|^[A-Z]+$/.test(text);
}
