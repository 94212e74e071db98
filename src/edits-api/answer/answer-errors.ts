import type { EditErrorCode } from '../edit-error-codes.ts';
import { EditsApiError } from '../edits-api-error.ts';
import { classify, classifyInside, matches, signOf } from './classify-error.ts';
import { cutText } from './cut-text.ts';
import { DAILY_LIMIT } from './error-signs.ts';
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
  /** Of a redirect; redacted, as it may be cut. */
  readonly location?: string | null;
  /** When the limits that are used up renew, as the head says. */
  readonly resetSeconds?: number | null;
}

/** A limit per day that does not say when it renews is tried again after so long. */
const DAILY_LIMIT_SECONDS = 15 * 60;

/** The error that a response with a status outside 2xx means. */
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
  // An edits API would have said what it did not find.
  const isStranger = [404, 405].includes(httpStatus) && reported?.isCertain !== true;
  return new EditsApiError(code, outcome, message + (isStranger ? WRONG_URL : ''), {
    ...head,
    retryAfterSeconds: waitOf(code, head, reported, context),
    moderationDetails: reported?.moderationDetails ?? null,
  });
}

const WRONG_URL = ' (EDITS_API_URL may be wrong: it must be the base URL, which ends in /v1.)';

/** The error in a response with a status of 2xx that brought no image; null: there is none. */
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
 * The error that an event stream reports after it has begun. What was made until then may have been
 * paid, so the outcome is unknown whatever it says.
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

/** Seconds to wait; null when nobody says how long. */
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
  const plain = cutText(text, 16_384).replaceAll(/<(style|script)\b.*?<\/\1>|<[^>]*>/gis, ' ');
  return cutText(plain.replaceAll(/\s+/g, ' ').trim(), 500);
}
