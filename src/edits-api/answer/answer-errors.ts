import type { EditErrorCode } from '../edit-error-codes.ts';
import { EditsApiError } from '../edits-api-error.ts';
import { classify, classifyInside, matches, signOf } from './classify-error.ts';
import { cutText } from './cut-text.ts';
import { DAILY_LIMIT } from './error-signs.ts';
import { waitSaid } from './rate-limit-hints.ts';
import { errorIn, hasImage, type ReportedError, readError } from './reported-error.ts';

/** A response that cannot be used. The edit may have been made and billed. */
export function brokenAnswer(message: string, cause?: unknown): EditsApiError {
  return new EditsApiError('BROKEN_ANSWER', 'unknown', message, { cause });
}

/** Facts from the head of a response, as far as errors need them. */
export interface AnswerHead {
  readonly httpStatus: number;
  readonly upstreamRequestId: string | null;
  readonly retryAfterSeconds: number | null;
}

/** Other facts that decide what the error of a response means. */
export interface ErrorContext {
  /** Whether the upstream is the API itself, not a relay: see `EDITS_API_FIRST_HAND`. */
  readonly firstHand: boolean;
  /** Target of a redirect; redacted, as it may be cut. */
  readonly location?: string | null;
  /** When the exhausted limits renew, according to the head. */
  readonly resetSeconds?: number | null;
}

/** Delay before a retry after a daily limit whose renewal is unknown. */
const DAILY_LIMIT_SECONDS = 15 * 60;

/** The error of a response with a status outside 2xx. */
export function errorOfAnswer(
  head: AnswerHead,
  text: string,
  context: ErrorContext,
): EditsApiError {
  const { httpStatus } = head;
  const isRedirect = httpStatus >= 300 && httpStatus <= 399;
  if (isRedirect) return errorOfRedirect(head, context.location ?? null);
  const [event] = eventsIn(text);
  const reported = readError(event ?? text);
  const [code, outcome] = classify(head, reported, context.firstHand);
  const said = reported?.message ?? summary(text);
  const message = `The upstream returned ${httpStatus}${said === '' ? '.' : `: ${said}`}`;
  // An edits API would name what it did not find.
  const isStranger = [404, 405].includes(httpStatus) && reported?.isCertain !== true;
  return new EditsApiError(code, outcome, message + (isStranger ? WRONG_URL : ''), {
    ...head,
    retryAfterSeconds: waitOf(code, head, reported, context),
    moderationDetails: reported?.moderationDetails ?? null,
  });
}

const WRONG_URL = ' (EDITS_API_URL may be wrong: it must be the base URL, which ends in /v1.)';

/** The error in a 2xx response without an image; null if there is none. */
export function errorInAnswer(
  head: AnswerHead,
  text: string,
  context: ErrorContext,
): EditsApiError | null {
  const events = eventsIn(text);
  const found = events.length === 0 ? errorInBody(text) : errorInEvents(events);
  if (found === null) return null;
  const { reported, isWorkedOn } = found;
  const [code, outcome] = classifyInside(reported, context.firstHand);
  const said = reported.message === null ? '.' : `: ${reported.message}`;
  const message = `The upstream returned ${head.httpStatus} with an error${said}`;
  return new EditsApiError(code, isWorkedOn ? 'unknown' : outcome, message, {
    ...head,
    retryAfterSeconds: waitOf(code, head, reported, context),
    moderationDetails: reported.moderationDetails,
  });
}

/**
 * An error inside a started event stream. Images made before it may have been billed, so the
 * outcome is always unknown.
 */
export function errorInStream(event: Readonly<Record<string, unknown>>): EditsApiError {
  const reported = errorIn(event);
  const [code] = reported === null ? (['SERVER_ERROR'] as const) : classifyInside(reported, false);
  const said = reported?.message ?? '';
  const message = `The upstream ended its event stream with an error${said && `: ${said}`}`;
  return new EditsApiError(code, 'unknown', message, {
    moderationDetails: reported?.moderationDetails ?? null,
  });
}

function errorOfRedirect(head: AnswerHead, location: string | null): EditsApiError {
  const named = location === null ? 'no Location header' : `Location: ${location.slice(0, 300)}`;
  const message =
    `The upstream returned ${head.httpStatus}, a redirect, with ${named}. Redirects are not followed: ` +
    'set EDITS_API_URL, or the url in EDITS_API_FILE, to the base URL that it leads to, with the ' +
    'right scheme, host and path (such as https://api.openai.com/v1).';
  return new EditsApiError('BAD_REQUEST', 'refused', message, head);
}

/** Seconds to wait; null if unknown. */
function waitOf(
  code: EditErrorCode,
  { retryAfterSeconds }: AnswerHead,
  reported: ReportedError | null,
  { resetSeconds = null }: ErrorContext,
): number | null {
  if (code !== 'RATE_LIMITED') return retryAfterSeconds;
  const said = waitSaid(reported?.words ?? '') || reported?.waitSeconds;
  const asked = retryAfterSeconds || said || resetSeconds;
  if (asked) return asked;
  return reported !== null && matches(reported, DAILY_LIMIT) ? DAILY_LIMIT_SECONDS : null;
}

interface Found {
  readonly reported: ReportedError;
  /** A partial image arrived before it. */
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

/** The data of each event; empty if the text is not an event stream. */
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

/** A short text of an HTML page or of foreign JSON, without tags and repeated white space. */
function summary(text: string): string {
  const plain = cutText(text, 16_384).replaceAll(/<(style|script)\b.*?<\/\1>|<[^>]*>/gis, ' ');
  return cutText(plain.replaceAll(/\s+/g, ' ').trim(), 500);
}
