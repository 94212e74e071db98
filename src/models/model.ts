import type { PriceVersion } from './prices.ts';
import type { ModelSizes } from './sizes.ts';
import type { InputRule, OutputRule } from './token-rules.ts';

/** What is known of the tokens of a model's images. Null: nothing. */
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
  /** Its entry's id. That of a dated snapshot is the model that it belongs to. */
  readonly family: string;
  /** In this server's catalogue; an unknown model is forwarded with only the server's own limits. */
  readonly known: boolean;
  /** The day on which OpenAI shuts it down, as YYYY-MM-DD. Compatible servers may keep it. */
  readonly shutdownDate: string | null;
  readonly sizes: ModelSizes | null;
  readonly autoSize: boolean;
  readonly maxImages: number;
  readonly maxImageBytes: number | null;
  readonly maxMaskBytes: number;
  readonly maxN: number;
  /** Partial images of each output image; 0: it does not stream. */
  readonly maxPartialImages: number;
  readonly maxPromptCharacters: number;
  readonly tokens: ModelTokens;
  /** Oldest first; none: not known. */
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
