import type { ModerationDetails } from '../edits-api-error.ts';
import { cutText } from './cut-text.ts';
import { readModerationDetails } from './moderation-details.ts';
import { waitWritten } from './rate-limit-hints.ts';

/** An error as the upstream wrote it, in any shape. */
export interface ReportedError {
  readonly message: string | null;
  /** The message, followed by that of an error that a relay repeats inside its own. */
  readonly words: string;
  /** Every `code`, `type` and inner code, as written; numbers as digits. */
  readonly codes: readonly string[];
  /** The parameter that the error names. */
  readonly param: string | null;
  /** An HTTP status from 400 to 599 in `code` or `status`. */
  readonly status: number | null;
  /** How long to wait, from a separate field: see `waitWritten`. */
  readonly waitSeconds: number | null;
  /** Whether it has `moderation_details`, or results of a content filter. */
  readonly isModerated: boolean;
  readonly moderationDetails: ModerationDetails | null;
  /** Whether it is an object under `error`, as an API writes it, and not a proxy's own text. */
  readonly isObject: boolean;
  /** Whether that object has the official shape, `{ error: { message, type, code, param } }`. */
  readonly isOwn: boolean;
  /** False for text that may mean anything, such as a plain text or a lone `message`. */
  readonly isCertain: boolean;
}

type Json = Readonly<Record<string, unknown>>;

/** Longest text without JSON that counts as a message. */
const MAX_TEXT_LENGTH = 1_000;
/** Maximum length of a message that is examined and shown. */
const MAX_MESSAGE_LENGTH = 2_000;

/** Values of `code` or `status` that mean success. */
const FINE =
  /^(0+|1|2\d\d|ok|success(ful(ly)?)?|succeeded|completed|done|true|normal|(操作)?成功)$/i;

/**
 * Reads the error in a response: `{ error: { … } }`, `{ error: "…" }`, `{ error: [{ … }] }`, `{
 * errors: […] }`, `{ code, msg }`, `{ code, message }`, `{ success: false, message }`, `{ detail
 * }`, `{ base_resp }`, a list of one of these, or a short text; also after white space or comments
 * of an event stream. Null if there is none.
 */
export function readError(text: string): ReportedError | null {
  let bare = text.trim();
  while (bare.startsWith(':')) bare = bare.replace(/^.*/, '').trimStart();
  if (bare === '') return null;
  const json = parse(bare);
  if (typeof json === 'string') return readError(json);
  if (json !== undefined) return errorIn(json);
  if (/^[[{<]/.test(bare) || bare.length > MAX_TEXT_LENGTH) return null;
  return report({ message: bare }, { isCertain: false });
}

/** The same for a parsed response. */
export function errorIn(value: unknown): ReportedError | null {
  const body = Array.isArray(value) ? value[0] : value;
  if (!isObject(body)) return null;
  const named = [body['error'], body['errors'], body['Error'], firstOf(body['data'])?.['error']];
  for (const error of named) {
    const one = Array.isArray(error) ? error[0] : error;
    if (typeof one === 'string' && one.trim() !== '') return report({ ...body, error: one }, {});
    if (isObject(one) && Object.keys(one).length > 0) {
      const isOwn =
        one === body['error'] && isText(one['message']) && isText(one['type']) && 'code' in one;
      const error = isObject(one['error']) ? one['error'] : one;
      return report(error, { isObject: true, isOwn, around: body });
    }
  }
  if (isObject(body['base_resp'])) return errorIn(body['base_resp']);
  const code = body['code'] ?? body['errcode'] ?? body['error_code'] ?? body['status_code'];
  const isCertain =
    (isCode(code) && ![code, messageOf(body)].some((one) => FINE.test(String(one)))) ||
    body['error'] === true ||
    body['success'] === false ||
    body['ok'] === false ||
    /^(error|fail(ed|ure)?)$/i.test(String(body['status'] ?? '')) ||
    /error$/i.test(String(body['object'] ?? body['type'] ?? '')) ||
    isErrorStatus(Number(body['status'])) ||
    (body['detail'] ?? null) !== null;
  const error = report(body, { isCertain });
  return error.message === null && !isCertain ? null : error;
}

/** Whether a response contains any trace of an image, which proves that the edit was made. */
export function hasImage(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasImage);
  return (
    isObject(value) &&
    Object.entries(value).some(([name, one]) => {
      if (/^errors?$/i.test(name)) return false;
      if (IMAGE_NAME.test(name) && [one].flat().some((part) => isImage(name, part))) return true;
      return hasImage(one);
    })
  );
}

/** Keys of images in any known format. */
const IMAGE_NAME = /^(b64_?json|b64|base64|image_base64|(image_?)?urls?|images?|result|output)$/i;

/** A link, a `data:` URL, or long base64; short base64 only where nothing else can be. */
function isImage(name: string, value: unknown): boolean {
  if (!isText(value)) return false;
  return /64/.test(name) || /^\s*(https?:|data:|[\w+/=-]{200})/i.test(value);
}

function report(
  error: Json,
  options: { isObject?: boolean; isOwn?: boolean; isCertain?: boolean; around?: Json },
): ReportedError {
  const { around = {} } = options;
  const inner = [error['innererror'], error['inner_error'], error['metadata']].filter(isObject);
  const all = [error, ...inner, around];
  const written = all.flatMap((one) =>
    ['code', 'type', 'status', 'errcode', 'error_code', 'status_code', 'error_type', 'statusCode']
      .map((name) => one[name])
      .filter(isCode)
      .map(String),
  );
  // Some servers put a code into the message.
  if (isText(error['error']) && !/\s/.test(error['error'])) written.push(error['error']);
  const status = written.map((one) => Number.parseInt(one, 10)).find(isErrorStatus);
  const param = error['param'];
  const message = messageOf(error) ?? messageOf(around);
  const repeated = repeatedIn([message, ...all.map((one) => one['raw'])]);
  return {
    message,
    words: [message, repeated?.words].filter(isText).join('\n'),
    codes: [...written, ...(repeated?.codes ?? [])],
    param: isText(param) && !/^(none|null)$/i.test(param) ? param : (repeated?.param ?? null),
    status: status ?? null,
    waitSeconds: waitWritten([...all, ...listIn(error['details'])]),
    isModerated:
      repeated?.isModerated === true ||
      all.some(
        (one) => isObject(one['moderation_details']) || isFiltered(one['content_filter_results']),
      ),
    moderationDetails:
      all.map(readModerationDetails).find((one) => one !== null) ??
      repeated?.moderationDetails ??
      null,
    isObject: options.isObject ?? false,
    isOwn: options.isOwn ?? false,
    isCertain: options.isCertain ?? true,
  };
}

/**
 * The upstream's error inside a relay's: an object, or JSON that is a whole text (OpenRouter's
 * `metadata.raw`) or follows the name of an exception (LiteLLM). Anywhere else it may be the
 * prompt.
 */
function repeatedIn(places: readonly unknown[]): ReportedError | null {
  for (const place of places) {
    const text = isText(place) ? place.replace(EXCEPTION, '').trim() : '';
    const inner = isObject(place) ? place : text.startsWith('{') ? parse(text) : null;
    if (isObject(inner) && isObject(inner['error'])) return errorIn(inner);
  }
  return null;
}

/** As in `litellm.BadRequestError: OpenAIException - `. */
const EXCEPTION = /^([\w.]+(Error|Exception)\b[\s:-]*)+/;

function messageOf(error: Json): string | null {
  for (const name of ['message', 'msg', 'error', 'error_msg', 'errmsg', 'status_msg', 'detail']) {
    const value = error[name];
    if (isText(value)) return cutText(value, MAX_MESSAGE_LENGTH);
    // FastAPI's validation errors.
    if (name !== 'detail') continue;
    const one = firstOf(value) ?? value;
    if (isObject(one)) return messageOf(one) ?? JSON.stringify(one);
  }
  return null;
}

/** Azure lists every category, including those that passed. */
function isFiltered(results: unknown): boolean {
  return (
    isObject(results) &&
    Object.values(results).some((one) => isObject(one) && one['filtered'] === true)
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function listIn(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function firstOf(value: unknown): Json | null {
  const [first] = Array.isArray(value) ? value : [];
  return isObject(first) ? first : null;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '';
}

function isCode(value: unknown): value is string | number {
  return isText(value) || typeof value === 'number';
}

function isErrorStatus(status: number): boolean {
  return status >= 400 && status <= 599;
}
