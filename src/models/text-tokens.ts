import { setImmediate as nextTurn } from 'node:timers/promises';

/** Counts tokens of a text as a language model does. */
export type CountTextTokens = (text: string) => Promise<number>;

/**
 * UTF-16 units counted at once. The tokenizer's time grows with the square of a run without spaces,
 * such as a Chinese prompt; this bounds a step to a few milliseconds. A word cut at a border counts
 * at most one token more.
 */
const STEP_UNITS = 512;

/**
 * Counts by o200k_base, the encoding of OpenAI's models since GPT-4o. Its ranks take some 20 MB of
 * heap and a third of a second to load, once per process: at the first count, which many processes
 * never make.
 * Other work runs between the steps of a long text.
 */
export const countTextTokens: CountTextTokens = async (text) => {
  if (text === '') return 0;
  const { countTokens } = await loadTextTokenizer();
  let tokens = 0;
  for (const step of steps(text)) {
    if (tokens > 0) await nextTurn();
    // `<
    // endoftext
    // >` in a prompt is plain text.
    tokens += countTokens(step, { disallowedSpecial: new Set() });
  }
  return tokens;
};

async function loadTextTokenizer() {
  const tokenizer = await import('gpt-tokenizer/encoding/o200k_base');
  // Its merge cache would keep prompts in memory.
  tokenizer.setMergeCacheSize(0);
  return tokenizer;
}

/** Never splits a code point. */
function* steps(text: string): Generator<string> {
  for (let from = 0; from < text.length; ) {
    let to = Math.min(text.length, from + STEP_UNITS);
    if (to < text.length && /[\uD800-\uDBFF]/.test(text.charAt(to - 1))) to += 1;
    yield text.slice(from, to);
    from = to;
  }
}
