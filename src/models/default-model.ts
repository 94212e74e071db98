/** An upstream, as far as the default model depends on it. */
export interface ServingUpstream {
  readonly url: string;
  /** Null for any. */
  readonly models: readonly string[] | null;
}

/**
 * OpenAI itself, under its own or a regional name. It has shut `gpt-image-1` down; the shutdown dates
 * of the catalogue are its own.
 */
export function isOpenAi(url: string): boolean {
  return /(^|\.)api\.openai\.com$/i.test(URL.parse(url)?.hostname ?? '');
}

/**
 * The default model if DEFAULT_MODEL is not set: `gpt-image-2` at OpenAI, and `gpt-image-1`
 * elsewhere, which every compatible server has. The first of several upstreams that serves its own
 * default decides; if none does, the first model of the first upstream.
 * @param upstreams By priority.
 */
export function defaultModel(upstreams: readonly ServingUpstream[]): string {
  const own = ({ url }: ServingUpstream) => (isOpenAi(url) ? 'gpt-image-2' : 'gpt-image-1');
  const first = upstreams.find((upstream) => upstream.models?.includes(own(upstream)) ?? true);
  return first === undefined ? (upstreams[0]?.models?.[0] ?? 'gpt-image-1') : own(first);
}
