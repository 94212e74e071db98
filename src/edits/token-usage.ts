import { z } from 'zod';

// Postgres integers; a number beyond them is no token count.
const count = z.int().min(0).max(2_147_483_647);
const details = z
  .object({ text_tokens: count.nullish(), image_tokens: count.nullish() })
  .nullish()
  .catch(undefined);

const schema = z.object({
  total_tokens: count,
  input_tokens: count,
  output_tokens: count,
  input_tokens_details: details,
  output_tokens_details: details,
});

/**
 * `usage` of an answer as a row of the database, or null when the edits API reported none that can
 * be read: unknown, never 0.
 */
export function readTokenUsage(usage: unknown) {
  const parsed = schema.safeParse(usage);
  if (!parsed.success) return null;
  const { data } = parsed;
  return {
    totalTokens: data.total_tokens,
    inputTokens: data.input_tokens,
    outputTokens: data.output_tokens,
    inputTextTokens: data.input_tokens_details?.text_tokens ?? null,
    inputImageTokens: data.input_tokens_details?.image_tokens ?? null,
    outputTextTokens: data.output_tokens_details?.text_tokens ?? null,
    outputImageTokens: data.output_tokens_details?.image_tokens ?? null,
  };
}
