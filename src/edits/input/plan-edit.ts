import type { PlannedEdit } from '../../models/estimate.ts';
import type { Models } from '../../models/models.ts';
import { extremeSizes, type PixelSize, parseSize } from '../../models/sizes.ts';
import { countTextTokens } from '../../models/text-tokens.ts';
import type { EditParams } from './parameters.ts';

/** Checked parameters as an estimate takes them. */
export async function planEdit(
  params: EditParams,
  models: Models,
  edit: { resolvedSize: string; images: readonly PixelSize[] },
): Promise<PlannedEdit> {
  const { tokens, sizes } = models.get(params.model);
  const size = parseSize(edit.resolvedSize);
  const extremes = size === null ? extremeSizes(sizes) : [size];
  return {
    tokens,
    textTokens: await countTextTokens(params.prompt),
    images: edit.images,
    inputFidelity: params.inputFidelity === 'high' ? 'high' : 'low',
    sizes: size === null && sizes?.kind !== 'listed' ? null : extremes,
    extremeSizes: extremes,
    quality: params.quality ?? 'auto',
    n: params.n,
    partialImages: params.partialImages ?? 0,
  };
}
