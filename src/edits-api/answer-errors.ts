import { EditErrorCode } from '../edit-error-codes.ts';
import { EditsApiError, type EditsApiOutcome } from '../errors.ts';

/** An answer of which nothing can be used. The edit may well have been made and paid. */
export function brokenAnswer(message: string, cause?: unknown): EditsApiError {
  return new EditsApiError('BROKEN_ANSWER', 'unknown', message, { cause });
}

/** What an answer says about itself, as far as errors need it. */
export interface AnswerHead {
  readonly httpStatus: number;
  readonly upstreamRequestId: string | null;
  readonly retryAfterSeconds: number | null;
}

/** `{ error: { message, type, code, param } }`, as far as it came. */
interface ApiError {
  readonly message: string | null;
  readonly type: string | null;
  readonly code: string | null;
}

const moderationWords = [
  'moderation_blocked',
  'content_policy_violation',
  'image_generation_user_error',
];
const quotaWords = ['insufficient_quota', 'billing_hard_limit_reached'];
/** With 404, or with 403 where other accounts have it. */
const modelWords = ['model_not_found'];

/**
 * The error that an answer with a status outside 2xx means.
 *
 * `not_processed` is promised only where the API itself said so: 429 and 503 are given before any
 * work, and a 500 with the API's own error object is its report that the work failed. Every other
 * 5xx may be a proxy that gave up while the API is still at work.
 */
export function errorOfAnswer(head: AnswerHead, text: string): EditsApiError {
  const apiError = parseApiError(text);
  const [code, outcome] = classify(head.httpStatus, apiError);
  const said = apiError?.message ?? (apiError === null ? summary(text) : '');
  const message = `The edits API answered ${head.httpStatus}${said === '' ? '.' : `: ${said}`}`;
  // No edits API is there, or it would have said what it did not find.
  const hint = head.httpStatus === 404 && apiError === null ? ' (Its URL may be wrong.)' : '';
  return new EditsApiError(code, outcome, message + hint, head);
}

/**
 * The error that an event stream reports after it has begun. What was made until then may have been
 * paid, so the outcome is unknown whatever it says.
 */
export function errorInStream(event: Readonly<Record<string, unknown>>): EditsApiError {
  const error = parseApiError(JSON.stringify({ error: event['error'] ?? event }));
  const signs = [error?.code ?? '', error?.type ?? ''];
  const code = signs.some((sign) => moderationWords.includes(sign))
    ? EditErrorCode.MODERATION_BLOCKED
    : signs.some((sign) => quotaWords.includes(sign))
      ? EditErrorCode.INSUFFICIENT_QUOTA
      : EditErrorCode.SERVER_ERROR;
  const said = error?.message ?? '';
  const message = `The edits API ended its event stream with an error${said && `: ${said}`}`;
  return new EditsApiError(code, 'unknown', message);
}

function classify(
  status: number,
  apiError: ApiError | null,
): [code: EditErrorCode, outcome: EditsApiOutcome] {
  const says = (signs: readonly string[]) =>
    signs.includes(apiError?.code ?? '') || signs.includes(apiError?.type ?? '');

  if (status < 400 || status > 599) return [EditErrorCode.BROKEN_ANSWER, 'unknown'];
  if (status >= 500) {
    const surelyNotProcessed = status === 503 || (status === 500 && apiError !== null);
    return [EditErrorCode.SERVER_ERROR, surelyNotProcessed ? 'not_processed' : 'unknown'];
  }
  if (status === 408) return [EditErrorCode.TIMEOUT, 'unknown'];
  if (says(quotaWords)) return [EditErrorCode.INSUFFICIENT_QUOTA, 'refused'];
  if (status === 429) return [EditErrorCode.RATE_LIMITED, 'not_processed'];
  if (says(modelWords)) return [EditErrorCode.MODEL_NOT_FOUND, 'refused'];
  if (status === 401 || status === 403) return [EditErrorCode.AUTHENTICATION_FAILED, 'refused'];
  if (says(moderationWords)) return [EditErrorCode.MODERATION_BLOCKED, 'refused'];
  return [EditErrorCode.BAD_REQUEST, 'refused'];
}

/** The API's own error object, or null when `text` is not JSON that has one. */
function parseApiError(text: string): ApiError | null {
  const error = property(parse(text), 'error');
  if (typeof error !== 'object' || error === null || Array.isArray(error)) return null;
  return {
    message: words(property(error, 'message')),
    type: words(property(error, 'type')),
    code: words(property(error, 'code')),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}

function words(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** What a page or a foreign JSON says, in short: tags and runs of white space are left out. */
function summary(text: string): string {
  const plain = text.replaceAll(/<(style|script)\b.*?<\/\1>|<[^>]*>/gis, ' ');
  return plain.replaceAll(/\s+/g, ' ').trim().slice(0, 500);
}
