import type { PriceVersion } from './prices.ts';
import type { ModelSizes } from './sizes.ts';
import type { InputRule, OutputRule } from './token-rules.ts';

/** Token rules of a model's images; null if unknown. */
export interface ModelTokens {
  readonly input: InputRule | null;
  readonly output: OutputRule | null;
}

/**
 * The lists of values that a model accepts for a parameter, in the edits API's spelling. Null: not
 * known, so not checked. Empty: the model does not accept the parameter.
 */
export const VALUE_LIMITS = [
  'qualities',
  'backgrounds',
  'outputFormats',
  'inputFidelities',
  'complexities',
] as const;

export type ValueLimit = (typeof VALUE_LIMITS)[number];

/** What is known of a model. A null means: not known, so not checked. */
export interface EditModel extends Readonly<Record<ValueLimit, readonly string[] | null>> {
  readonly id: string;
  /** Id of its entry. For a dated snapshot, that of its model. */
  readonly family: string;
  /**
   * Whether it is in this server's catalogue. An unknown model is forwarded with only the server's
   * own limits.
   */
  readonly known: boolean;
  /** Date on which OpenAI shuts it down, as YYYY-MM-DD. Compatible servers may keep it. */
  readonly shutdownDate: string | null;
  readonly sizes: ModelSizes | null;
  readonly autoSize: boolean;
  readonly maxImages: number;
  readonly maxImageBytes: number | null;
  readonly maxMaskBytes: number;
  readonly maxN: number;
  /** Maximum number of partial images per output image; 0 if it does not stream. */
  readonly maxPartialImages: number;
  readonly maxPromptCharacters: number;
  readonly tokens: ModelTokens;
  /** Oldest first; empty if unknown. */
  readonly prices: readonly PriceVersion[];
}

/** The same value for every list of values. */
export function forValueLimits<Value>(value: Value): Record<ValueLimit, Value> {
  return Object.fromEntries(VALUE_LIMITS.map((limit) => [limit, value])) as Record<
    ValueLimit,
    Value
  >;
}

/** `gpt-image-2` for its snapshot `gpt-image-2-2026-04-21`; null for a name without a date. */
export function snapshotOf(id: string): string | null {
  return /^(.+)-\d{4}-\d{2}-\d{2}$/.exec(id)?.[1] ?? null;
}

/** Whether a name may be sent to an edits API: also what its list of models may contain. */
export function isModelName(id: string): boolean {
  return /^[\w.:/-]{1,100}$/.test(id);
}

/** Whether a list contains a model. A model in the list includes its dated snapshots. */
export function includesModel(list: readonly string[], id: string): boolean {
  return list.includes(id) || list.includes(snapshotOf(id) ?? id);
}
