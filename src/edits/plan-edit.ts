import type { ModelSizes, Models } from '../edits-api/models.ts';
import type { PlannedEdit } from '../usage/estimate.ts';
import { countTextTokens } from '../usage/text-tokens.ts';
import type { EditParams } from './edit-params.ts';
import { type Dimensions, parseSize } from './image-size.ts';

/** Checked parameters as an estimate takes them. */
export async function planEdit(
  params: EditParams,
  models: Models,
  edit: { resolvedSize: string; images: readonly Dimensions[] },
): Promise<PlannedEdit> {
  return {
    model: params.model,
    textTokens: await countTextTokens(params.prompt),
    images: edit.images,
    inputFidelity: params.inputFidelity === 'high' ? 'high' : 'low',
    sizes: possibleSizes(edit.resolvedSize, models.get(params.model).sizes),
    quality: params.quality ?? 'auto',
    n: params.n,
    partialImages: params.partialImages ?? 0,
  };
}

/** Null: any. */
function possibleSizes(
  resolvedSize: string,
  sizes: ModelSizes | null,
): readonly Dimensions[] | null {
  const size = parseSize(resolvedSize);
  if (size !== null) return [size];
  return sizes?.kind === 'listed' ? sizes.sizes.flatMap((one) => parseSize(one) ?? []) : null;
}
