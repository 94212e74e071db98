import type { PixelSize } from './sizes.ts';

/**
 * Output tokens of gpt-image-2 and gpt-image-2.5, as in the calculator of OpenAI's image generation
 * guide ("GPT Image 2.5 and GPT Image 2 output tokens"). Pure.
 *
 * An image is a grid. Its longer edge has a number of cells by quality; its shorter edge has a
 * proportional number, rounded half to even. A cell takes (2,000,000 + pixels) / 4,000,000 tokens;
 * the sum is rounded up.
 * @param cells Cells along the longer edge.
 */
export function gridOutputTokens({ width, height }: PixelSize, cells: number): number {
  const long = Math.max(width, height);
  const short = Math.min(width, height);
  const grid = cells * roundHalfToEven((cells * short) / long);
  return Math.ceil((grid * (2_000_000 + width * height)) / 4_000_000);
}

function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  return value - floor === 0.5 ? floor + (floor % 2) : Math.round(value);
}
