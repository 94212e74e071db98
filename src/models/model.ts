import type { PriceVersion } from './prices.ts';
import type { ModelSizes } from './sizes.ts';
import type { InputRule, OutputRule } from './token-rules.ts';

/** What is known of the tokens of a model's images. Null: nothing. */
export interface ModelTokens {
  readonly input: InputRule | null;
  readonly output: OutputRule | null;
}

/**
 * What is known of a model. A null means: not known, so not checked. An empty list means: the model
 * does not accept the parameter.
 */
export interface EditModel {
  readonly id: string;
  /** Its entry's id. That of a dated snapshot is the model that it belongs to. */
  readonly family: string;
  /** In this server's catalogue; an unknown model is forwarded with only the server's own limits. */
  readonly known: boolean;
  /** The day on which OpenAI shuts it down, as YYYY-MM-DD. Compatible servers may keep it. */
  readonly shutdownDate: string | null;
  readonly sizes: ModelSizes | null;
  readonly autoSize: boolean;
  readonly qualities: readonly string[] | null;
  readonly backgrounds: readonly string[] | null;
  readonly outputFormats: readonly string[] | null;
  readonly inputFidelities: readonly string[] | null;
  /** How much is planned before the image is rendered: the form field `complexity`. */
  readonly complexities: readonly string[] | null;
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

/** `gpt-image-2` for its snapshot `gpt-image-2-2026-04-21`; null for a name without a date. */
export function snapshotOf(id: string): string | null {
  return /^(.+)-\d{4}-\d{2}-\d{2}$/.exec(id)?.[1] ?? null;
}
