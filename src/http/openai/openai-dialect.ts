import type { IncomingMessage } from 'node:http';
import type { RequestQuota } from '../../limits/request-limits.ts';
import type { Dialect, RenderedError } from '../dialect.ts';

/** The paths of the OpenAI-compatible API, and of Azure's. */
const PATHS = /^\/(v1|openai)(\/|$)/;

export function isOpenaiPath(path: string): boolean {
  return PATHS.test(path);
}

/** Whether a client of Azure's API sends its key as `api-key`. */
export function isAzureRequest({ url = '' }: Pick<IncomingMessage, 'url'>): boolean {
  return url.startsWith('/openai/');
}

/** OpenAI's SDKs wait for `Retry-After` up to this; a longer one they replace by less than 10 s. */
const MAX_RETRY_AFTER_SECONDS = 60;

/** Its meaning is that of `x-should-retry` in OpenAI's SDKs, which repeat 408, 409, 429 and 5xx. */
export const DO_NOT_RETRY = { 'x-should-retry': 'false' } as const;

/** As https://platform.openai.com/docs/guides/error-codes and the headers of its rate limits. */
export const OPENAI: Dialect = {
  renderError(error) {
    const { status, retryAfterSeconds } = error;
    const isLate = retryAfterSeconds !== null && retryAfterSeconds > MAX_RETRY_AFTER_SECONDS;
    // A limit that resets much later, or never: a client that repeats the request only uploads again.
    const isInVain = status === 429 && (isLate || retryAfterSeconds === null);
    return {
      body: { error: toOpenaiError(error) },
      headers: {
        ...(isInVain && DO_NOT_RETRY),
        ...(isLate && status === 503 && { 'retry-after': String(MAX_RETRY_AFTER_SECONDS) }),
      },
    };
  },

  rateLimitHeaders(quotas) {
    const [least] = quotas.toSorted((a, b) => Number(a.remaining - b.remaining));
    return least === undefined ? {} : headersOf(least);
  },
};

function headersOf({ limit, remaining, resetSeconds }: RequestQuota) {
  return {
    'x-ratelimit-limit-requests': String(limit),
    'x-ratelimit-remaining-requests': String(remaining),
    'x-ratelimit-reset-requests': `${resetSeconds}s`,
  };
}

/** The `error` of a response or of an event. */
export function toOpenaiError({ status, code, message, details }: RenderedError) {
  const field = details['field'];
  return {
    message: messageOf(message, details),
    type: typeOf(status, code, details),
    param: typeof field === 'string' ? field : null,
    code: codeOf(code, details),
    ...moderationOf(details),
  };
}

function moderationOf({ moderationDetails }: RenderedError['details']) {
  if (typeof moderationDetails !== 'object' || moderationDetails === null) return {};
  const { stage = null, categories = [] } = moderationDetails as Record<string, unknown>;
  return { moderation_details: { moderation_stage: stage, categories } };
}

/** A client shows one message: that of every problem. */
function messageOf(message: string, { problems }: RenderedError['details']): string {
  const all = Array.isArray(problems) ? problems.map((problem) => String(problem.message)) : [];
  return all.length > 1 ? all.join(' ') : message;
}

/** Codes that OpenAI names differently. */
const CODES: Readonly<Record<string, string>> = {
  UNAUTHENTICATED: 'invalid_api_key',
  LIMIT_EXCEEDED: 'rate_limit_exceeded',
  RATE_LIMITED: 'rate_limit_exceeded',
  INTERNAL_SERVER_ERROR: 'server_error',
};

function codeOf(code: string, details: RenderedError['details']): string {
  if (isSpent(details)) return 'insufficient_quota';
  const [problem] = Array.isArray(details['problems']) ? details['problems'] : [];
  return (CODES[code] ?? (problem?.code as string | undefined) ?? code).toLowerCase();
}

function typeOf(status: number, code: string, details: RenderedError['details']): string {
  if (isSpent(details) || code === 'INSUFFICIENT_QUOTA') return 'insufficient_quota';
  if (code === 'MODERATION_BLOCKED') return 'image_generation_user_error';
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}

/** A limit of money or tokens, which OpenAI calls a quota. */
function isSpent({ measure }: RenderedError['details']): boolean {
  return measure === 'COST' || measure === 'TOKENS';
}
