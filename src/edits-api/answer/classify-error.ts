import type { EditErrorCode } from '../edit-error-codes.ts';
import type { EditsApiOutcome } from '../edits-api-error.ts';
import { BAD_REQUEST, CALL_LOST, ERROR_SIGNS, EXCEEDS_LIMIT_ALONE } from './error-signs.ts';
import { waitSaid } from './rate-limit-hints.ts';
import type { ReportedError } from './reported-error.ts';
import { simplified } from './simplified-chinese.ts';

/** Facts from the head of a response. */
interface StatusLine {
  readonly httpStatus: number;
  readonly retryAfterSeconds: number | null;
}

type Verdict = readonly [code: EditErrorCode, outcome: EditsApiOutcome];

/**
 * Status of nginx and the AWS load balancer for a client, here a relay, that closed the connection.
 */
const HUNG_UP = [460, 499];

/**
 * Classifies a response with a status outside 2xx.
 *
 * `not_processed` requires that the API itself says so. A 429 is sent before any work; so is a 503
 * that an API wrote or that has `Retry-After`. A 500 means that the work failed only if it comes
 * from the API itself: relays return it for calls that they lost. Any other 5xx may come from a
 * proxy that gave up while the API is still working.
 */
export function classify(
  { httpStatus: status, retryAfterSeconds }: StatusLine,
  reported: ReportedError | null,
  firstHand: boolean,
): Verdict {
  if (status < 400 || status > 599) return ['BROKEN_ANSWER', 'unknown'];
  if (status === 408) return ['TIMEOUT', 'unknown'];
  if (HUNG_UP.includes(status)) return ['CONNECTION_LOST', 'unknown'];
  if (!isCertainlyUnmade({ httpStatus: status, retryAfterSeconds }, reported, firstHand)) {
    return [(reported && codeSign(reported)) ?? 'SERVER_ERROR', 'unknown'];
  }
  const sign = reported && signOf(reported, status);
  if (sign === 'RATE_LIMITED') return [sign, 'not_processed'];
  return sign === null ? verdictOfStatus(status) : [sign, 'refused'];
}

/** Whether a status from 400 on means, for this upstream, that no edit was made. */
function isCertainlyUnmade(
  { httpStatus: status, retryAfterSeconds }: StatusLine,
  reported: ReportedError | null,
  firstHand: boolean,
): boolean {
  // Failed Dependency: a relay's status for a failed call of its own.
  if (status < 500) return status !== 424;
  if (status === 500) return firstHand && reported?.isOwn === true;
  // A server that does not support a request has not processed it.
  if (status === 501) return true;
  if (status !== 503) return false;
  if (firstHand || retryAfterSeconds !== null) return true;
  // A relay may report a proxy's bare 503 in an error object of its own.
  return reported?.isObject === true && !matches(reported, CALL_LOST);
}

function verdictOfStatus(status: number): Verdict {
  switch (status) {
    case 401:
      return ['AUTHENTICATION_FAILED', 'refused'];
    case 402:
      return ['INSUFFICIENT_QUOTA', 'refused'];
    case 403:
      return ['FORBIDDEN', 'refused'];
    // Too Early (RFC 8470) asks to repeat the request later.
    case 425:
    case 429:
      return ['RATE_LIMITED', 'not_processed'];
    case 500:
    case 503:
      return ['SERVER_ERROR', 'not_processed'];
    default:
      return ['BAD_REQUEST', 'refused'];
  }
}

/**
 * Classifies an error in a 2xx response: a rejection counts as such, any other error as with status
 * 500.
 */
export function classifyInside(reported: ReportedError, firstHand: boolean): Verdict {
  const asServerError: EditsApiOutcome = firstHand && reported.isOwn ? 'not_processed' : 'unknown';
  const isLost = codeSign(reported) === null && matches(reported, CALL_LOST);
  if (isLost) return ['SERVER_ERROR', asServerError];
  const sign = signOf(reported, 200);
  if (sign !== null) return [sign, sign === 'RATE_LIMITED' ? asServerError : 'refused'];
  const { status } = reported;
  if (status !== null && status < 500) {
    const inside = { httpStatus: status, retryAfterSeconds: null };
    const [code, outcome] = classify(inside, reported, firstHand);
    return [code, outcome === 'not_processed' ? asServerError : outcome];
  }
  if (status === null && matches(reported, BAD_REQUEST)) return ['BAD_REQUEST', 'refused'];
  return ['SERVER_ERROR', asServerError];
}

/** The meaning of the error's code or, if that is unspecific, of its message. */
export function signOf(reported: ReportedError, status: number): EditErrorCode | null {
  const byCode = codeSign(reported);
  const isTooMuch = status === 429 && exceedsLimitAlone(reported.words);
  if (isTooMuch && byCode !== 'INSUFFICIENT_QUOTA') return 'BAD_REQUEST';
  if (byCode !== null || reported.param === 'moderation') return byCode;
  const words = wordsOf(reported.words);
  const sign = ERROR_SIGNS.find(
    (one) =>
      (one.code === 'MODERATION_BLOCKED' || !blamesParameter(reported)) &&
      one.words.some((pattern) => pattern.test(words)),
  );
  // "You exceeded your current quota. Please retry in 34s." is Gemini's rate limit.
  const renews = status === 429 && sign?.code === 'INSUFFICIENT_QUOTA' && waitSaid(words) !== null;
  return renews ? 'RATE_LIMITED' : (sign?.code ?? null);
}

function codeSign({ codes, param, isModerated }: ReportedError): EditErrorCode | null {
  if (isModerated) return 'MODERATION_BLOCKED';
  // Includes the parts of `InternalError.Algo.DataInspectionFailed`.
  const written = codes.flatMap((code) => [code, ...code.split('.')]).map(canonical);
  const sign = ERROR_SIGNS.find((one) =>
    one.codes.some((name) => written.includes(canonical(name))),
  );
  return sign?.code ?? (param === 'model' ? 'MODEL_NOT_FOUND' : null);
}

/** Whether an error has one of these signs in its codes or message. */
export function matches(reported: ReportedError, signs: typeof BAD_REQUEST): boolean {
  const written = reported.codes.map(canonical);
  if (signs.codes.some((name) => written.includes(canonical(name)))) return true;
  const words = wordsOf(reported.words);
  return signs.words.some((pattern) => pattern.test(words));
}

/**
 * Then its message describes the client's input, and only moderation has specific words for that.
 */
function blamesParameter({ param, codes }: ReportedError): boolean {
  const blaming = /^(invalid|unsupported|missing|unknown)(?!_?(request|error))/i;
  return param !== null || codes.some((code) => blaming.test(code));
}

/** Without quoted parts, which may be the prompt; in simplified Chinese. */
function wordsOf(text: string): string {
  const unquoted = text.replaceAll(
    /"[^"]*"|“[^”]*”|「[^」]*」|`[^`]*`|(?<![\p{L}\p{N}])['‘][^'’]*['’](?![\p{L}\p{N}])/gu,
    '""',
  );
  return simplified(unquoted);
}

/** Normalizes `InsufficientBalance`, `INSUFFICIENT-BALANCE` and `insufficient_balance`. */
function canonical(code: string): string {
  return code.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

/** "Limit 5, Requested 8": waiting does not help. */
function exceedsLimitAlone(message: string): boolean {
  const asked = /\blimit:?\s*([\d,]+)\b.*\brequested:?\s*([\d,]+)/is.exec(message) ?? [];
  const [limit = 0, requested = 0] = asked.slice(1).map((one) => Number(one.replaceAll(',', '')));
  if (limit > 0 && requested > limit) return true;
  return EXCEEDS_LIMIT_ALONE.some((pattern) => pattern.test(message));
}
