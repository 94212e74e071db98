import type { PixelSize } from './sizes.ts';

/**
 * Tokens of an edit's images, by the figures that OpenAI publishes for gpt-image-1: output tokens
 * in the image generation guide ("Cost and latency"), input tokens in the vision guide
 * ("Calculating costs"). Pure. These are estimates; the API's `usage` is what is billed.
 */

export type TokenInputFidelity = 'low' | 'high';

/** Published output tokens per image. */
const OUTPUT_TOKENS = {
  low: { '1024x1024': 272, '1024x1536': 408, '1536x1024': 400 },
  medium: { '1024x1024': 1_056, '1024x1536': 1_584, '1536x1024': 1_568 },
  high: { '1024x1024': 4_160, '1024x1536': 6_240, '1536x1024': 6_208 },
} as const satisfies Record<string, Record<string, number>>;

export type TableQuality = keyof typeof OUTPUT_TOKENS;

/** The qualities that the published table has. */
export const TABLE_QUALITIES = Object.keys(OUTPUT_TOKENS) as readonly TableQuality[];

/** Published: each partial image of a stream adds this many output tokens. */
export const PARTIAL_IMAGE_TOKENS = 100;

const TILE_PX = 512;
const MAX_SIDE_PX = 2_048;
const BASE_TOKENS = 65;
const TOKENS_PER_TILE = 129;
const HIGH_FIDELITY_SQUARE_TOKENS = 4_160;
const HIGH_FIDELITY_OBLONG_TOKENS = 6_240;

/** The ratio halfway between the square (1:1) and the oblong (3:2) of the figures. */
const OBLONG_FROM_RATIO = Math.sqrt(3 / 2);

/**
 * Output tokens of one final image. The three standard sizes are in the published table; other
 * sizes are proportional to their area, with the density of 1024x1024, rounded up.
 */
export function outputImageTokens(size: PixelSize, quality: TableQuality): number {
  const published: Readonly<Record<string, number>> = OUTPUT_TOKENS[quality];
  const exact = published[`${size.width}x${size.height}`];
  if (exact !== undefined) return exact;
  const perSquare = published['1024x1024'] ?? 0;
  return Math.ceil((perSquare * size.width * size.height) / (1_024 * 1_024));
}

/**
 * Input tokens of one image: scaled down to fit 2048x2048, then until its shortest side is 512 px
 * (never up), and counted in 512 px tiles. High fidelity adds a fixed number by shape.
 */
export function inputImageTokens(size: PixelSize, fidelity: TokenInputFidelity = 'low'): number {
  const shortest = Math.min(size.width, size.height);
  const longest = Math.max(size.width, size.height);
  const fit = Math.min(1, MAX_SIDE_PX / longest);
  const scale = fit * Math.min(1, TILE_PX / (shortest * fit));
  const low = BASE_TOKENS + TOKENS_PER_TILE * tiles(shortest * scale) * tiles(longest * scale);
  if (fidelity === 'low') return low;
  const oblong = longest / shortest >= OBLONG_FROM_RATIO;
  return low + (oblong ? HIGH_FIDELITY_OBLONG_TOKENS : HIGH_FIDELITY_SQUARE_TOKENS);
}

/** Rounded to whole pixels first, so that 512.0000001 is one tile. */
function tiles(lengthPx: number): number {
  return Math.max(1, Math.ceil(Math.round(lengthPx) / TILE_PX));
}
