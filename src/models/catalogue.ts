import entries from './catalogue.json' with { type: 'json' };
import { addEntries, type Catalogue, entriesSchema } from './model-entry.ts';

/**
 * The models of the official edits API, one entry each. OpenAI retires models over time; compatible
 * servers keep them, so none is rejected for its age. Entries have the format of MODELS_FILE.
 */
export const CATALOGUE: Catalogue = addEntries(new Map(), entriesSchema.parse(entries));
