/** An upstream, as far as the default model depends on it. */
export interface ServingUpstream {
  readonly url: string;
  /** Null: any. */
  readonly models: readonly string[] | null;
}

/** OpenAI itself, which has shut `gpt-image-1` down, under its own or a regional name. */
function isOpenAi(url: string): boolean {
  return /(^|\.)api\.openai\.com$/i.test(URL.parse(url)?.hostname ?? '');
}

/**
 * The model of an edit that names none, when DEFAULT_MODEL is not set: `gpt-image-2` at OpenAI, and
 * `gpt-image-1` elsewhere, the one that every compatible server has. Of several upstreams the first
 * one decides that serves the model it stands for; when none does, the first one's first model.
 * @param upstreams By priority.
 */
export function defaultModel(upstreams: readonly ServingUpstream[]): string {
  const own = ({ url }: ServingUpstream) => (isOpenAi(url) ? 'gpt-image-2' : 'gpt-image-1');
  const first = upstreams.find((upstream) => upstream.models?.includes(own(upstream)) ?? true);
  return first === undefined ? (upstreams[0]?.models?.[0] ?? 'gpt-image-1') : own(first);
}
