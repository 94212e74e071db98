import { describe, expect, it } from 'vitest';
import { CATALOGUE } from '../../src/models/catalogue.ts';
import { gridOutputTokens } from '../../src/models/grid-tokens.ts';

function cellsOf(model: string): Readonly<Record<string, number>> {
  const rule = CATALOGUE.get(model)?.tokens.output;
  return rule?.formula === 'grid' ? rule.cells : {};
}

const tokensOf = (cells: Readonly<Record<string, number>>, width: number, height: number) =>
  Object.values(cells).map((each) => gridOutputTokens({ width, height }, each));

/** Read off the calculator of OpenAI's image generation guide. */
describe('output tokens by the grid', () => {
  it.each([
    [1_024, 1_024, [196, 1_756, 7_024]],
    [1_536, 1_024, [158, 1_372, 5_488]],
  ])('of gpt-image-2 at %ix%i are the published ones', (width, height, tokens) => {
    expect(tokensOf(cellsOf('gpt-image-2'), width, height)).toEqual(tokens);
  });

  it.each([
    [1_792, 1_024, 5_063],
    [3_584, 2_048, 12_329],
  ])('of gpt-image-2 in high quality at %ix%i are the published ones', (width, height, tokens) => {
    expect(gridOutputTokens({ width, height }, cellsOf('gpt-image-2')['high'] ?? 0)).toBe(tokens);
  });

  it.each([
    [1_024, 1_024, [196, 439, 1_756, 3_122, 7_024]],
    [1_024, 1_536, [158, 343, 1_372, 2_459, 5_488]],
    [1_536, 864, [120, 280, 1_078, 1_917, 4_312]],
    [2_048, 1_152, [157, 367, 1_413, 2_511, 5_650]],
  ])('of gpt-image-2.5 at %ix%i are the published ones', (width, height, tokens) => {
    expect(tokensOf(cellsOf('gpt-image-2.5-flare'), width, height)).toEqual(tokens);
  });
});
