import { z } from 'zod';

// Postgres integers; a number beyond them is no token count.
const count = z.int().min(0).max(2_147_483_647);
const known = count.nullish().catch(null);
const details = z
  .object({
    text_tokens: known,
    image_tokens: known,
    cached_tokens: known,
    cached_tokens_details: z
      .object({ text_tokens: known, image_tokens: known })
      .nullish()
      .catch(null),
  })
  .nullish()
  .catch(null);

const schema = z.object({
  total_tokens: count,
  input_tokens: count,
  output_tokens: count,
  input_tokens_details: details,
  output_tokens_details: details,
  // The edits API documents no cached tokens; its sister APIs have them here, or with the details.
  cached_tokens: known,
  cached_tokens_details: z
    .object({ cached_text_tokens: known, cached_image_tokens: known })
    .nullish()
    .catch(null),
});

/**
 * `usage` of an answer as a row of the database, or null when the edits API reported none that can
 * be read: unknown, never 0.
 */
export function readTokenUsage(usage: unknown) {
  const parsed = schema.safeParse(usage);
  if (!parsed.success) return null;
  const { input_tokens_details: input, output_tokens_details: output, ...whole } = parsed.data;
  const cached = input?.cached_tokens_details;
  return {
    totalTokens: whole.total_tokens,
    inputTokens: whole.input_tokens,
    outputTokens: whole.output_tokens,
    inputTextTokens: input?.text_tokens ?? null,
    inputImageTokens: input?.image_tokens ?? null,
    inputCachedTokens: input?.cached_tokens ?? whole.cached_tokens ?? null,
    inputCachedTextTokens:
      cached?.text_tokens ?? whole.cached_tokens_details?.cached_text_tokens ?? null,
    inputCachedImageTokens:
      cached?.image_tokens ?? whole.cached_tokens_details?.cached_image_tokens ?? null,
    outputTextTokens: output?.text_tokens ?? null,
    outputImageTokens: output?.image_tokens ?? null,
  };
}

/** The columns that the job has of it too, so that sums over jobs need no other table. */
export function summedTokens(usage: ReturnType<typeof readTokenUsage>) {
  if (usage === null) return {};
  const { totalTokens, inputTokens, inputTextTokens, inputImageTokens, inputCachedTokens } = usage;
  const { outputTokens, outputTextTokens, outputImageTokens } = usage;
  return {
    totalTokens,
    inputTokens,
    inputTextTokens,
    inputImageTokens,
    inputCachedTokens,
    outputTokens,
    outputTextTokens,
    outputImageTokens,
  };
}
