import { GRID_CELLS, gridOutputTokens } from './grid-tokens.ts';
import {
  inputImageTokens,
  outputImageTokens,
  type PixelSize,
  type TokenInputFidelity,
} from './image-tokens.ts';
import { modelFamily } from './model-family.ts';

/** Which of a model's token counts OpenAI has published a formula for; null: none. */
export interface PublishedTokens {
  /** Of one input picture. */
  readonly input: ((size: PixelSize, fidelity: TokenInputFidelity) => number) | null;
  readonly output: {
    /** Without `auto`, which is one of these once the model has chosen. */
    readonly qualities: readonly string[];
    /** Of one finished picture. @param quality One of `qualities`. */
    tokens(size: PixelSize, quality: string): number;
  } | null;
}

const UNPUBLISHED: PublishedTokens = { input: null, output: null };

/** Output by the table of the three sizes. */
const TABLE: PublishedTokens['output'] = {
  qualities: ['low', 'medium', 'high'],
  tokens: (size, quality) => outputImageTokens(size, quality as 'low' | 'medium' | 'high'),
};

/**
 * The vision guide tells input tokens for gpt-image-1 only. The table of output tokens agrees with
 * the prices by picture of gpt-image-1 and its 1.5, and contradicts those of gpt-image-1-mini.
 */
const BY_MODEL: ReadonlyMap<string, PublishedTokens> = new Map<string, PublishedTokens>([
  ['gpt-image-1', { input: inputImageTokens, output: TABLE }],
  ['gpt-image-1.5', { input: null, output: TABLE }],
  ['chatgpt-image-latest', { input: null, output: TABLE }],
  ['gpt-image-2', { input: null, output: grid(GRID_CELLS['gpt-image-2']) }],
  ['gpt-image-2.5-flare', { input: null, output: grid(GRID_CELLS['gpt-image-2.5']) }],
  ['gpt-image-2.5-sunburst', { input: null, output: grid(GRID_CELLS['gpt-image-2.5']) }],
]);

export function publishedTokens(model: string): PublishedTokens {
  return BY_MODEL.get(modelFamily(model)) ?? UNPUBLISHED;
}

function grid(cells: Readonly<Record<string, number>>): PublishedTokens['output'] {
  return {
    qualities: Object.keys(cells),
    tokens: (size, quality) => gridOutputTokens(size, cells[quality] ?? 0),
  };
}
