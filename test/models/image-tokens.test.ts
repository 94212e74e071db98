import { describe, expect, it } from 'vitest';
import {
  inputImageTokens,
  outputImageTokens,
  PARTIAL_IMAGE_TOKENS,
} from '../../src/models/image-tokens.ts';

describe('output tokens', () => {
  it.each([
    ['low', 272, 408, 400],
    ['medium', 1_056, 1_584, 1_568],
    ['high', 4_160, 6_240, 6_208],
  ] as const)('are the published ones at %s quality', (quality, square, portrait, landscape) => {
    expect(outputImageTokens({ width: 1_024, height: 1_024 }, quality)).toBe(square);
    expect(outputImageTokens({ width: 1_024, height: 1_536 }, quality)).toBe(portrait);
    expect(outputImageTokens({ width: 1_536, height: 1_024 }, quality)).toBe(landscape);
  });

  it('grow with the area at the density of 1024x1024 for any other size', () => {
    expect(outputImageTokens({ width: 2_048, height: 2_048 }, 'low')).toBe(4 * 272);
    expect(outputImageTokens({ width: 512, height: 1_024 }, 'high')).toBe(2_080);
    expect(outputImageTokens({ width: 1_040, height: 1_024 }, 'medium')).toBe(
      Math.ceil((1_056 * 1_040) / 1_024),
    );
  });

  it('are 100 more for each partial image', () => {
    expect(PARTIAL_IMAGE_TOKENS).toBe(100);
  });
});

describe('input tokens', () => {
  it.each([
    [1_024, 1_024, 65 + 129],
    [512, 512, 65 + 129],
    [64, 64, 65 + 129],
    [1_536, 1_024, 65 + 2 * 129],
    [1_024, 1_536, 65 + 2 * 129],
    [4_032, 3_024, 65 + 2 * 129],
    [4_096, 512, 65 + 4 * 129],
    [300, 1_100, 65 + 3 * 129],
    [3_000, 3, 65 + 4 * 129],
  ])(
    'of a %ix%i image count its 512 px tiles, scaled down but never up',
    (width, height, tokens) => {
      expect(inputImageTokens({ width, height })).toBe(tokens);
    },
  );

  it('add 4160 for a squarish image and 6240 for an oblong one at high fidelity', () => {
    expect(inputImageTokens({ width: 1_024, height: 1_024 }, 'high')).toBe(194 + 4_160);
    expect(inputImageTokens({ width: 1_100, height: 1_000 }, 'high')).toBe(65 + 258 + 4_160);
    expect(inputImageTokens({ width: 1_536, height: 1_024 }, 'high')).toBe(323 + 6_240);
    expect(inputImageTokens({ width: 1_024, height: 1_536 }, 'high')).toBe(323 + 6_240);
  });
});
