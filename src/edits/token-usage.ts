import { z } from 'zod';

// Postgres integers; a number beyond them is no token count.
const count = z.int().min(0).max(2_147_483_647);
const kinds = (name: { text: string; image: string }) =>
  z
    .record(z.string(), z.unknown())
    .transform((object) => ({
      text: knownCount(object[name.text]),
      image: knownCount(object[name.image]),
    }))
    .catch({ text: null, image: null });
const details = kinds({ text: 'text_tokens', image: 'image_tokens' });

const schema = z.object({
  total_tokens: count,
  input_tokens: count,
  output_tokens: count,
  input_tokens_details: details,
  output_tokens_details: details,
});

/** Where cached tokens stand: the edits API does not document them, its sister APIs each in a way. */
const cachedSchema = z
  .object({
    cached_tokens: z.unknown(),
    cached_tokens_details: kinds({ text: 'cached_text_tokens', image: 'cached_image_tokens' }),
    input_tokens_details: z
      .object({ cached_tokens: z.unknown(), cached_tokens_details: details })
      .catch({ cached_tokens: undefined, cached_tokens_details: { text: null, image: null } }),
  })
  .transform(({ input_tokens_details: input, ...whole }) => ({
    tokens: knownCount(input.cached_tokens) ?? knownCount(whole.cached_tokens),
    text: input.cached_tokens_details.text ?? whole.cached_tokens_details.text,
    image: input.cached_tokens_details.image ?? whole.cached_tokens_details.image,
  }));

/**
 * `usage` of an answer as a row of the database, or null when the edits API reported none that can
 * be read: unknown, never 0.
 */
export function readTokenUsage(usage: unknown) {
  const parsed = schema.safeParse(usage);
  if (!parsed.success) return null;
  const { data } = parsed;
  const cached = cachedSchema.parse(usage);
  return {
    totalTokens: data.total_tokens,
    inputTokens: data.input_tokens,
    outputTokens: data.output_tokens,
    inputTextTokens: data.input_tokens_details.text,
    inputImageTokens: data.input_tokens_details.image,
    inputCachedTokens: cached.tokens,
    inputCachedTextTokens: cached.text,
    inputCachedImageTokens: cached.image,
    outputTextTokens: data.output_tokens_details.text,
    outputImageTokens: data.output_tokens_details.image,
  };
}

function knownCount(value: unknown): number | null {
  return count.safeParse(value).data ?? null;
}
