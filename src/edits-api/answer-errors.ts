import type { EditErrorCode } from '../edit-error-codes.ts';
import { EditsApiError, type EditsApiOutcome } from '../errors.ts';
import {
  BAD_REQUEST,
  CALL_LOST,
  DAILY_LIMIT,
  ERROR_SIGNS,
  EXCEEDS_LIMIT_ALONE,
} from './error-signs.ts';
import { waitSaid } from './rate-limit-hints.ts';
import { errorIn, hasImage, type ReportedError, readError } from './reported-error.ts';

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

/** What else of an answer decides what its error means. */
export interface ErrorContext {
  /** The upstream is the API itself and no relay: see `EDITS_API_FIRST_HAND`. */
  readonly firstHand: boolean;
  /** Of a redirect. */
  readonly location?: string | null;
  /** When the limits that are used up renew, as the head says. */
  readonly resetSeconds?: number | null;
}

type Verdict = readonly [code: EditErrorCode, outcome: EditsApiOutcome];

/** A limit per day that does not say when it renews is tried again after so long. */
const DAILY_LIMIT_SECONDS = 15 * 60;

/** nginx's and the AWS load balancer's word for a client, here a relay, that hung up. */
const HUNG_UP = [460, 499];

/**
 * The error that a response with a status outside 2xx means.
 *
 * `not_processed` is promised only where the API itself says so. A 429 is given before any work; so
 * is a 503 that an API wrote, or that names a time in `Retry-After`. A 500 is the API's report that
 * the work failed only where it comes from the API itself: a relay gives it to a call that it lost.
 * Every other 5xx may come from a proxy that gave up while the API is still at work.
 */
export function errorOfAnswer(
  head: AnswerHead,
  text: string,
  context: ErrorContext,
): EditsApiError {
  const { httpStatus } = head;
  if (httpStatus >= 300 && httpStatus <= 399)
    return errorOfRedirect(head, context.location ?? null);
  const reported = readError(text);
  const [code, outcome] = classify(head, reported, context);
  const said = reported?.message ?? summary(text);
  const message = `The upstream returned ${httpStatus}${said === '' ? '.' : `: ${said}`}`;
  // An edits API would have said what it did not find.
  const isStranger = [404, 405].includes(httpStatus) && reported?.isCertain !== true;
  return new EditsApiError(code, outcome, message + (isStranger ? WRONG_URL : ''), {
    ...head,
    retryAfterSeconds:
      code === 'RATE_LIMITED' ? waitOf(head, reported, context) : head.retryAfterSeconds,
  });
}

const WRONG_URL = ' (EDITS_API_URL may be wrong: it must be the base URL, which ends in /v1.)';

/**
 * The error in a response with a status of 2xx that brought no image, or null where there is none.
 * A rejection counts as one; any other error counts as it would with status 500.
 */
export function errorInAnswer(
  head: AnswerHead,
  text: string,
  { firstHand }: ErrorContext,
): EditsApiError | null {
  const events = eventsIn(text);
  const found = events.length === 0 ? errorInBody(text) : errorInEvents(events);
  if (found === null) return null;
  const { reported, isWorkedOn } = found;
  const [code, outcome] = classifyInside(reported, firstHand);
  const said = reported.message === null ? '.' : `: ${reported.message}`;
  const message = `The upstream returned ${head.httpStatus} with an error${said}`;
  return new EditsApiError(code, isWorkedOn ? 'unknown' : outcome, message, head);
}

/**
 * The error that an event stream reports after it has begun. What was made until then may have been
 * paid, so the outcome is unknown whatever it says.
 */
export function errorInStream(event: Readonly<Record<string, unknown>>): EditsApiError {
  const reported = errorIn(event);
  const [code] = reported === null ? UNKNOWN : classifyInside(reported, false);
  const said = reported?.message ?? '';
  const message = `The upstream ended its event stream with an error${said && `: ${said}`}`;
  return new EditsApiError(code, 'unknown', message);
}

const UNKNOWN: Verdict = ['SERVER_ERROR', 'unknown'];

function errorOfRedirect(head: AnswerHead, location: string | null): EditsApiError {
  const named = location === null ? 'no Location header' : `Location: ${location.slice(0, 300)}`;
  const message =
    `The upstream returned ${head.httpStatus}, a redirect, with ${named}. Redirects are not followed: ` +
    'set EDITS_API_URL, or the url in EDITS_API_FILE, to the base URL that it leads to, with the ' +
    'right scheme, host and path (such as https://api.openai.com/v1).';
  return new EditsApiError('BAD_REQUEST', 'refused', message, head);
}

function classify(
  { httpStatus: status, retryAfterSeconds }: AnswerHead,
  reported: ReportedError | null,
  { firstHand }: ErrorContext,
): Verdict {
  if (status < 400 || status > 599) return ['BROKEN_ANSWER', 'unknown'];
  if (status === 408) return ['TIMEOUT', 'unknown'];
  if (HUNG_UP.includes(status)) return ['CONNECTION_LOST', 'unknown'];
  if (!isCertainlyUnmade(status, reported, { firstHand, retryAfterSeconds })) {
    return [(reported && codeSign(reported)) ?? 'SERVER_ERROR', 'unknown'];
  }
  const sign = reported && signOf(reported, status);
  if (sign === 'RATE_LIMITED') return [sign, 'not_processed'];
  return sign === null ? verdictOfStatus(status) : [sign, 'refused'];
}

/** Whether a status from 400 says, from this upstream, that no edit was made. */
function isCertainlyUnmade(
  status: number,
  reported: ReportedError | null,
  { firstHand, retryAfterSeconds }: { firstHand: boolean; retryAfterSeconds: number | null },
): boolean {
  // Failed Dependency: a relay's word for a call of its own that failed.
  if (status < 500) return status !== 424;
  if (status === 500) return firstHand && reported?.isOwn === true;
  // What a server cannot do it has not done.
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
    // Too Early (RFC 8470) asks for the same request a little later.
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

/** Of an error in a response with a status of 2xx. */
function classifyInside(reported: ReportedError, firstHand: boolean): Verdict {
  const asServerError: EditsApiOutcome = firstHand && reported.isOwn ? 'not_processed' : 'unknown';
  const isLost = codeSign(reported) === null && matches(reported, CALL_LOST);
  if (isLost) return ['SERVER_ERROR', asServerError];
  const sign = signOf(reported, 200);
  if (sign !== null) return [sign, sign === 'RATE_LIMITED' ? asServerError : 'refused'];
  const { status } = reported;
  if (status !== null && status < 500) {
    const inside = { httpStatus: status, retryAfterSeconds: null, upstreamRequestId: null };
    const [code, outcome] = classify(inside, reported, { firstHand });
    return [code, outcome === 'not_processed' ? asServerError : outcome];
  }
  if (status === null && matches(reported, BAD_REQUEST)) return ['BAD_REQUEST', 'refused'];
  return ['SERVER_ERROR', asServerError];
}

/** What the error's code means or, where that says nothing, its words. */
function signOf(reported: ReportedError, status: number): EditErrorCode | null {
  const byCode = codeSign(reported);
  const isTooMuch = status === 429 && exceedsLimitAlone(reported.message ?? '');
  if (isTooMuch && byCode !== 'INSUFFICIENT_QUOTA') return 'BAD_REQUEST';
  if (byCode !== null || reported.message === null || reported.param === 'moderation')
    return byCode;
  const words = unquoted(reported.message);
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
  const written = codes.map(canonical);
  const sign = ERROR_SIGNS.find((one) =>
    one.codes.some((name) => written.includes(canonical(name))),
  );
  return sign?.code ?? (param === 'model' ? 'MODEL_NOT_FOUND' : null);
}

function matches(reported: ReportedError, signs: typeof BAD_REQUEST): boolean {
  const written = reported.codes.map(canonical);
  if (signs.codes.some((name) => written.includes(canonical(name)))) return true;
  const words = unquoted(reported.message ?? '');
  return signs.words.some((pattern) => pattern.test(words));
}

/** Then its message speaks of what the client has sent: only moderation does so in its own words. */
function blamesParameter({ param, codes }: ReportedError): boolean {
  const blaming = /^(invalid|unsupported|missing|unknown)(?!_?(request|error))/i;
  return param !== null || codes.some((code) => blaming.test(code));
}

/** Without what stands in quotes: it may be the prompt. */
function unquoted(text: string): string {
  return text.replaceAll(
    /"[^"]*"|“[^”]*”|「[^」]*」|`[^`]*`|(?<![\p{L}\p{N}])['‘][^'’]*['’](?![\p{L}\p{N}])/gu,
    '""',
  );
}

/** One spelling for `InsufficientBalance`, `INSUFFICIENT-BALANCE` and `insufficient_balance`. */
function canonical(code: string): string {
  return code.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

/** "Limit 5, Requested 8": no wait makes room for that. */
function exceedsLimitAlone(message: string): boolean {
  const [, limit, requested] = /\blimit:?\s*(\d+)\b.*\brequested:?\s*(\d+)/is.exec(message) ?? [];
  if (limit !== undefined && Number(limit) > 0 && Number(requested) > Number(limit)) return true;
  return EXCEEDS_LIMIT_ALONE.some((pattern) => pattern.test(message));
}

/** Seconds to wait after a rate limit; null when nobody says how long. */
function waitOf(
  { retryAfterSeconds }: AnswerHead,
  reported: ReportedError | null,
  { resetSeconds = null }: ErrorContext,
): number | null {
  const asked = retryAfterSeconds || waitSaid(reported?.message ?? '') || resetSeconds;
  if (asked) return asked;
  return reported !== null && matches(reported, DAILY_LIMIT) ? DAILY_LIMIT_SECONDS : null;
}

interface Found {
  readonly reported: ReportedError;
  /** An image on the way came before it. */
  readonly isWorkedOn: boolean;
}

function errorInBody(text: string): Found | null {
  if (hasImage(parsed(text))) return null;
  const reported = readError(text);
  if (reported === null) return null;
  const isClear = reported.isCertain || signOf(reported, 200) !== null;
  return isClear ? { reported, isWorkedOn: false } : null;
}

function errorInEvents(events: readonly string[]): Found | null {
  let isWorkedOn = false;
  for (const data of events) {
    if (hasImage(parsed(data))) isWorkedOn = true;
    else {
      const found = errorInBody(data);
      if (found !== null) return { ...found, isWorkedOn };
    }
  }
  return null;
}

/** The data of each event; none for what is not an event stream. */
function eventsIn(text: string): string[] {
  const bare = text.trimStart();
  if (!/^(event|data|id|retry)?:/.test(bare)) return [];
  return bare
    .split(/\r?\n\r?\n|\r\r/)
    .map((event) => [...event.matchAll(/^data: ?(.*)$/gm)].map(([, line]) => line).join('\n'))
    .filter((data) => data !== '');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** What a page or a foreign JSON says, in short: tags and runs of white space are left out. */
function summary(text: string): string {
  const plain = text.replaceAll(/<(style|script)\b.*?<\/\1>|<[^>]*>/gis, ' ');
  return plain.replaceAll(/\s+/g, ' ').trim().slice(0, 500);
}
