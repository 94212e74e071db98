import { spellingsOf } from './secret-spellings.ts';
import { storableText } from './storable-text.ts';

const maxMessageLength = 2000;
const mark = '[redacted]';

/**
 * A key of OpenAI, complete or shortened by OpenAI: `sk-proj-****abcd`, `sk-ab...wxyz`, `sk-ab***`.
 */
const LIKE_KEY = /(?<![\p{L}\p{N}])sk-(?:[\w*•…-]|\.+(?=[\w*]))+/giu;
/** An organisation or a project of OpenAI. */
const LIKE_ORGANIZATION = /(?<![\p{L}\p{N}_-])(?:org-|proj_)(?:[\w*•…-]|\.+(?=[\w*]))+/gu;
/** The same after its noun, of any length. */
const NAMED_ORGANIZATION =
  /(?<=(?:organi[sz]ations?|projects?)(?:[\s_-]?ids?)?\W{1,6})(?:org-|proj_)(?:[\w*•…-]|\.+(?=[\w*]))+/giu;

/**
 * Makes the upstream's text safe to show: without the keys in any spelling and anything that looks
 * like a key, an organisation or a project of OpenAI; at most 2,000 characters; storable by the
 * database.
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

/** As after `org-` in `org-wide`. Random ids are long, or have digits or capitals. */
function isWord(text: string): boolean {
  return text.length <= 8 && /^[A-Z]*[a-z]*$|^[A-Z]+$/.test(text);
}
