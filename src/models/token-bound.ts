import { createHash } from 'node:crypto';
import type { PlannedEdit } from './estimate.ts';
import { PARTIAL_IMAGE_TOKENS } from './image-tokens.ts';
import type { ModelTokens } from './model.ts';
import { type PriceVersion, priceTokens } from './prices.ts';
import { inputTokens, outputTokens, SAFETY_FACTOR, safetyFactor } from './token-rules.ts';

/** Kinds of tokens with separate bounds. Output is images and text together. */
export const BOUND_KINDS = ['textInput', 'imageInput', 'output'] as const;

export type BoundKind = (typeof BOUND_KINDS)[number];

/** Maximum number of tokens that an edit may use; null if unknown. */
export type BoundTokens = Readonly<Record<BoundKind, number | null>>;

/** How much usage above a bound has raised it: see `raiseFor`. 0 if it has not. */
export type Raises = Readonly<Record<BoundKind, number>>;

export const NO_RAISES: Raises = { textInput: 0, imageInput: 0, output: 0 };

/**
 * Text tokens that the edits API may add to a prompt. Where input tokens are published, they are
 * estimated and reserved without these; the first usage reveals how many they are.
 */
const ADDED_TEXT_TOKENS = 64;

/**
 * By the model's rules with their safety factors. If input is not published, an edit with n outputs
 * counts its input n times (it may be billed as n edits) and the prompt twice, because the model
 * may use another encoding.
 */
export function boundTokens(edit: PlannedEdit): BoundTokens {
  const { tokens, textTokens, images, inputFidelity, n } = edit;
  const { input } = tokens;
  if (input?.basis === 'published') {
    return { textInput: textTokens, imageInput: imageTokens(), output: boundOutput(edit) };
  }
  const text = SAFETY_FACTOR * textTokens + ADDED_TEXT_TOKENS;
  const image = imageTokens();
  return {
    textInput: n * text,
    imageInput: image === null ? null : n * image,
    output: boundOutput(edit),
  };

  function imageTokens(): number | null {
    if (input === null) return null;
    const sum = images.reduce((all, size) => all + inputTokens(input, size, inputFidelity), 0);
    return Math.ceil(safetyFactor(input) * sum);
  }
}

function boundOutput(edit: PlannedEdit): number | null {
  const { quality, extremeSizes, n, partialImages } = edit;
  const { output } = edit.tokens;
  if (output === null) return null;
  // A rule that ignores the size works with any.
  const sizes = output.formula === 'perImage' ? [{ width: 1, height: 1 }] : extremeSizes;
  const each = sizes?.map((size) => outputTokens(output, size, quality)?.max ?? null) ?? [];
  if (each.length === 0 || each.includes(null)) return null;
  const most = Math.max(...each.map(Number)) + partialImages * PARTIAL_IMAGE_TOKENS;
  return n * Math.ceil(safetyFactor(output) * most);
}

/** Base of a raise: short prompts must not raise the bound of long ones. */
function unitsOf(kind: BoundKind, bound: number): number {
  return kind === 'textInput' ? bound + ADDED_TEXT_TOKENS : Math.max(1, bound);
}

/**
 * How usage above a bound raises it: usage is a new measurement, so the safety factor applies. The
 * raise is proportional to the bound, so that it holds for other prompts, images, sizes, qualities
 * and n.
 */
export function raiseFor(kind: BoundKind, bound: number, used: number): number {
  return (SAFETY_FACTOR * used) / unitsOf(kind, bound);
}

export function raiseBound(bound: BoundTokens, raises: Raises): BoundTokens {
  const raised = (kind: BoundKind) => {
    const tokens = bound[kind];
    return tokens === null
      ? null
      : Math.max(tokens, Math.ceil(raises[kind] * unitsOf(kind, tokens)));
  };
  return {
    textInput: raised('textInput'),
    imageInput: raised('imageInput'),
    output: raised('output'),
  };
}

/**
 * In micro-dollars. Text output, which some models report beside their images, is part of the
 * output and counts at the higher price. Null if tokens or a price are unknown.
 */
export function costOfBound(
  { textInput, imageInput, output }: BoundTokens,
  { prices }: PriceVersion,
): bigint | null {
  if (textInput === null || imageInput === null || output === null) return null;
  const { imageOutput, textOutput } = prices;
  const outputPrice =
    imageOutput !== null && textOutput !== null && textOutput > imageOutput
      ? textOutput
      : imageOutput;
  return priceTokens([
    [textInput, prices.textInput],
    [imageInput, prices.imageInput],
    [output, outputPrice],
  ]);
}

/** Identifies the rules of a bound: raises under other rules do not apply to it. */
export function boundBasis(tokens: ModelTokens): string {
  return createHash('sha256').update(JSON.stringify(tokens)).digest('hex').slice(0, 16);
}
