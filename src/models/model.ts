import type { PriceVersion } from './prices.ts';
import type { ModelSizes } from './sizes.ts';
import type { InputRule, OutputRule } from './token-rules.ts';

/** Token rules of a model's images; null if unknown. */
export interface ModelTokens {
  readonly input: InputRule | null;
  readonly output: OutputRule | null;
}

/**
 * What is known about a model. Null means unknown, so not validated. An empty list means that the
 * model does not accept the parameter.
 */
export interface EditModel {
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
  readonly qualities: readonly string[] | null;
  readonly backgrounds: readonly string[] | null;
  readonly outputFormats: readonly string[] | null;
  readonly inputFidelities: readonly string[] | null;
  /** How much planning precedes rendering: the form field `complexity`. */
  readonly complexities: readonly string[] | null;
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

/** `gpt-image-2` for its snapshot `gpt-image-2-2026-04-21`; null for a name without a date. */
export function snapshotOf(id: string): string | null {
  return /^(.+)-\d{4}-\d{2}-\d{2}$/.exec(id)?.[1] ?? null;
}
