/** Tokens as the edits API reported them; null if not reported. See RawUsage. */
export interface TokenUsageNumbers {
  readonly totalTokens: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly inputTextTokens: number | null;
  readonly inputImageTokens: number | null;
  readonly inputCachedTokens: number | null;
  readonly inputCachedTextTokens: number | null;
  readonly inputCachedImageTokens: number | null;
  readonly outputTextTokens: number | null;
  readonly outputImageTokens: number | null;
}

/** Limit of Postgres integers; larger numbers are not token counts. */
const MAX_TOKENS = 2_147_483_647;

/** Names in the edits API first, then in its chat API and in common libraries. */
const NAMES = {
  total: ['total_tokens', 'totalTokens'],
  input: ['input_tokens', 'prompt_tokens', 'inputTokens', 'promptTokens'],
  output: ['output_tokens', 'completion_tokens', 'outputTokens', 'completionTokens'],
  inputDetails: [
    'input_tokens_details',
    'prompt_tokens_details',
    'inputTokensDetails',
    'promptTokensDetails',
  ],
  outputDetails: [
    'output_tokens_details',
    'completion_tokens_details',
    'outputTokensDetails',
    'completionTokensDetails',
  ],
  text: ['text_tokens', 'textTokens'],
  image: ['image_tokens', 'imageTokens'],
  cached: ['cached_tokens', 'cachedTokens'],
  cachedDetails: ['cached_tokens_details', 'cachedTokensDetails'],
  cachedText: ['text_tokens', 'cached_text_tokens'],
  cachedImage: ['image_tokens', 'cached_image_tokens'],
} as const;

type Json = Readonly<Record<string, unknown>>;

/** An invalid number, or one that contradicts another. */
class UnbelievableError extends Error {}

/**
 * Parses `usage` of a response with images; null if unknown, which is never 0. It is accepted as a
 * whole or not at all, so that no charge is based on a part:
 * - zeros beside other names, or in details of a non-zero whole, are placeholders and count as
 *   absent;
 * - an image takes tokens both ways, so a sum of 0 on either side is a placeholder, too;
 * - a total must be the sum of both sides, two reported kinds must add up to their whole, and no
 *   part may exceed it;
 * - only whole numbers from 0 on, as numbers or digits, are counts.
 */
export function readTokenUsage(usage: unknown): TokenUsageNumbers | null {
  if (!isObject(usage)) return null;
  try {
    return read(usage);
  } catch (error) {
    if (error instanceof UnbelievableError) return null;
    throw error;
  }
}

function read(usage: Json): TokenUsageNumbers | null {
  const inputTokens = countIn(usage, NAMES.input) ?? 0;
  const outputTokens = countIn(usage, NAMES.output) ?? 0;
  if (inputTokens === 0 || outputTokens === 0) return null;
  const totalTokens = countIn(usage, NAMES.total) ?? inputTokens + outputTokens;
  must(totalTokens === inputTokens + outputTokens && totalTokens <= MAX_TOKENS);

  const details = detailsIn(usage, NAMES.inputDetails);
  const input = kindsOf(details, inputTokens);
  const output = kindsOf(detailsIn(usage, NAMES.outputDetails), outputTokens);
  // The edits API documents no cached tokens; related APIs report them here or in the details.
  const inputCachedTokens = countIn(details, NAMES.cached) ?? countIn(usage, NAMES.cached);
  const cached = kindsOf(
    { ...detailsIn(usage, NAMES.cachedDetails), ...detailsIn(details, NAMES.cachedDetails) },
    inputCachedTokens,
    { text: NAMES.cachedText, image: NAMES.cachedImage },
  );
  must((inputCachedTokens ?? 0) <= inputTokens);
  must((cached.text ?? 0) <= (input.text ?? inputTokens));
  must((cached.image ?? 0) <= (input.image ?? inputTokens));
  return {
    totalTokens,
    inputTokens,
    outputTokens,
    inputTextTokens: input.text,
    inputImageTokens: input.image,
    inputCachedTokens,
    inputCachedTextTokens: cached.text,
    inputCachedImageTokens: cached.image,
    outputTextTokens: output.text,
    outputImageTokens: output.image,
  };
}

/** The kinds of a whole, as far as they are reported. */
function kindsOf(
  details: Json,
  whole: number | null,
  names: { text: readonly string[]; image: readonly string[] } = NAMES,
): { text: number | null; image: number | null } {
  const text = countIn(details, names.text);
  const image = countIn(details, names.image);
  const sum = (text ?? 0) + (image ?? 0);
  if (sum === 0) return { text: null, image: null };
  if (whole !== null) must(text === null || image === null ? sum <= whole : sum === whole);
  return { text, image };
}

/**
 * The number under one of these names; null if there is none. Zeros beside another number do not
 * count.
 */
function countIn(object: Json, names: readonly string[]): number | null {
  const counts = names.flatMap((name) => {
    const value = object[name] ?? null;
    return value === null ? [] : [toCount(value)];
  });
  const told = new Set(counts.filter((count) => count > 0));
  must(told.size <= 1);
  return [...told][0] ?? counts[0] ?? null;
}

/** The object under the first of these names that contains a number; empty if there is none. */
function detailsIn(object: Json, names: readonly string[]): Json {
  const found = names.flatMap((name) => {
    const value = object[name] ?? null;
    must(value === null || isObject(value));
    return isObject(value) ? [value] : [];
  });
  const told = found.find((value) => Object.values(value).some((one) => Number(one) > 0));
  return told ?? found[0] ?? {};
}

function toCount(value: unknown): number {
  const count = typeof value === 'string' && /^\d{1,10}$/.test(value) ? Number(value) : value;
  must(typeof count === 'number' && Number.isInteger(count) && count >= 0 && count <= MAX_TOKENS);
  return Number(count);
}

function must(holds: boolean): void {
  if (!holds) throw new UnbelievableError();
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The columns that the job has, too, so that sums over jobs need no other table. */
export function summedTokens(usage: TokenUsageNumbers | null) {
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
