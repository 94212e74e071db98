/** The fields of a model that tell whether it ends. */
export interface ListedModel {
  readonly id: string;
  readonly isDefault: boolean;
  readonly shutdownDate: string | null;
  readonly isListed: boolean | null;
  readonly state: string;
}

export const MODELS_QUERY = `query Models {
  models { id isDefault shutdownDate isListed state }
}`;

/** What a visitor should know about the end of the default model; null if nothing. */
export function modelNotice(models: readonly ListedModel[]): string | null {
  const model = models.find(({ isDefault }) => isDefault);
  if (model === undefined || !['ENDING', 'RETIRED'].includes(model.state)) return null;
  const { id, state, isListed, shutdownDate } = model;
  if (state === 'ENDING') return `The default model ${id} will be shut down on ${shutdownDate}.`;
  return isListed === false
    ? `The default model ${id} is no longer listed by any upstream, so edits probably fail.`
    : `The default model ${id} was shut down on ${shutdownDate}, so edits probably fail.`;
}
