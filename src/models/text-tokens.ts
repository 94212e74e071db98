import { setImmediate as nextTurn } from 'node:timers/promises';

/** Tokens of a text as a language model counts them. */
export type CountTextTokens = (text: string) => Promise<number>;

/**
 * UTF-16 units that are counted in one go. The tokenizer's time grows with the square of a run
 * without spaces, which is what a Chinese prompt is: this bounds a step to a few milliseconds. Cut
 * at such a border, a word counts at most one token more.
 */
const STEP_UNITS = 512;

/**
 * Counts by o200k_base, the encoding of OpenAI's models since GPT-4o. Its ranks take some 20 MB of
 * heap, and a third of a second to load: the first count of a process does so, unless it is loaded
 * before, and later ones share it. Other work has its turn between the steps of a long text.
 */
export const countTextTokens: CountTextTokens = async (text) => {
  if (text === '') return 0;
  const { countTokens } = await loadTextTokenizer();
  let tokens = 0;
  for (const step of steps(text)) {
    if (tokens > 0) await nextTurn();
    // `<|endoftext|>` in a prompt is text like any other.
    tokens += countTokens(step, { disallowedSpecial: new Set() });
  }
  return tokens;
};

/** For those who count while somebody waits: loading holds up everything else. */
export async function loadTextTokenizer() {
  const tokenizer = await import('gpt-tokenizer/encoding/o200k_base');
  // Its cache of what it has merged would keep prompts in memory.
  tokenizer.setMergeCacheSize(0);
  return tokenizer;
}

/** Never through the middle of a code point. */
function* steps(text: string): Generator<string> {
  for (let from = 0; from < text.length; ) {
    let to = Math.min(text.length, from + STEP_UNITS);
    if (to < text.length && /[\uD800-\uDBFF]/.test(text.charAt(to - 1))) to += 1;
    yield text.slice(from, to);
    from = to;
  }
}
