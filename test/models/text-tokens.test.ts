import { describe, expect, it } from 'vitest';
import { countTextTokens } from '../../src/models/text-tokens.ts';

describe('text tokens', () => {
  // As the tokenizer of OpenAI, tiktoken, counts them.
  it.each([
    ['', 0],
    ['make it autumn', 3],
    ['给它一顶红帽子', 7],
    ['<|endoftext|>', 7],
  ])('of %j are those of o200k_base', async (text, tokens) => {
    expect(await countTextTokens(text)).toBe(tokens);
  });

  it('of a long text are counted in steps, off by less than 1 %', async () => {
    const sentence = 'make the sky a little bluer and ';
    const tokens = await countTextTokens(sentence.repeat(1_000));
    expect(Math.abs(tokens - 8_000)).toBeLessThan(80);
  });

  it.each([
    [
      'Chinese without a space',
      Array.from({ length: 32_000 }, (_, i) =>
        String.fromCodePoint(0x4e00 + ((i * 7_919) % 20_000)),
      ).join(''),
    ],
    ['characters beyond the first plane', '𠀀'.repeat(32_000)],
  ])('of the longest prompt, of %s, leave other work its turn', async (_, text) => {
    await countTextTokens('loaded');
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 1);
    await countTextTokens(text);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(10);
  });
});
