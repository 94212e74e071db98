import { parseRetryAfter } from '../../net/retry-after.ts';

/** A number with its unit: `7m`, `51.84 seconds`, `20ms`, `30 秒`. */
const STEP = String.raw`\d+(?:\.\d+)?\s*(?:milliseconds?|msecs?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|毫秒|秒钟?|分钟?|小时|个小时|天)(?![a-z])`;
const DURATION = String.raw`${STEP}(?:\s*(?:,|and|零)?\s*${STEP})*`;

/** How servers say when to retry. */
const SAID = [
  new RegExp(
    String.raw`\b(?:try(?:ing)?|retry|again|wait|available|resets?|reset)\b[^\d.。]{0,40}?(${DURATION})`,
    'i',
  ),
  new RegExp(String.raw`(?:等待|请在|请于|冷却|还需|剩余|将在)[^\d。]{0,8}(${DURATION})`),
  new RegExp(String.raw`(${DURATION})\s*(?:之?[后後]|再)`),
  /\bretry[- ]after\b[^\d.]{0,4}(\d+(?:\.\d+)?)/i,
];

/** In milliseconds, longest names first, because `m` also matches `ms`. */
const UNITS: readonly (readonly [RegExp, number])[] = [
  [/^(ms|msec|milli|毫秒)/, 1],
  [/^(d|天)/, 24 * 60 * 60_000],
  [/^(h|小时|个小时)/, 60 * 60_000],
  [/^(m|分)/, 60_000],
  [/^(s|秒|$)/, 1_000],
];

/**
 * Seconds to wait according to a message, rounded up: "try again in 1m30s", "请30秒后重试". Null if it
 * names no time above 0.
 */
export function waitSaid(message: string): number | null {
  for (const pattern of SAID) {
    const [, duration] = pattern.exec(message) ?? [];
    if (duration !== undefined) return positive(millisecondsOf(duration) / 1_000);
  }
  return null;
}

/**
 * Seconds until the exhausted limits renew, from the headers of OpenAI
 * (`x-ratelimit-reset-requests: 6m0s` beside `x-ratelimit-remaining-requests: 0`), OpenRouter
 * (`x-ratelimit-reset`, milliseconds since 1970) and the IETF draft (`ratelimit-reset`, seconds).
 * Null if unknown.
 */
export function waitUntilReset(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  nowMs: number,
): number | null {
  const first = (name: string) => {
    const value = headers[name];
    return Array.isArray(value) ? value[0] : value;
  };
  const waits = Object.keys(headers)
    .filter((name) => /^(x-)?ratelimit-reset(-|$)/.test(name))
    .filter((name) => !(Number(first(name.replace('-reset', '-remaining'))) > 0))
    .map((name) => untilReset(first(name) ?? '', nowMs) ?? 0);
  return positive(Math.max(0, ...waits));
}

/** Seconds of `retry-after-ms` or `Retry-After`. */
export function waitAsked(header: (name: string) => string | null, nowMs: number): number | null {
  const ms = header('retry-after-ms');
  if (ms !== null && /^\s*\d{1,12}(\.\d+)?\s*$/.test(ms)) return Math.ceil(Number(ms) / 1_000);
  return parseRetryAfter(header('retry-after'), nowMs);
}

/**
 * Seconds to wait according to an error object, rounded up: `retry_after: 20`, `retryAfterMs: 500`,
 * Gemini's `retryDelay: "34s"`. Null if unknown.
 */
export function waitWritten(objects: readonly Readonly<Record<string, unknown>>[]): number | null {
  for (const [name, value] of objects.flatMap((one) => Object.entries(one))) {
    const found = /^retry_?(?:after|delay|in)_?(ms|s|seconds)?$/i.exec(name);
    if (found === null || !/^(string|number)$/.test(typeof value)) continue;
    const text = String(value).trim();
    if (!new RegExp(`^(${DURATION}|\\d{1,12}(\\.\\d+)?)$`, 'i').test(text)) continue;
    const scale = found[1]?.toLowerCase() === 'ms' ? 1_000_000 : 1_000;
    return positive(millisecondsOf(text) / scale);
  }
  return null;
}

function untilReset(value: string, nowMs: number): number | null {
  const text = value.trim();
  if (/^\d+(\.\d+)?$/.test(text)) {
    const number = Number(text);
    if (number > 1e11) return (number - nowMs) / 1_000;
    return number > 1e9 ? number - nowMs / 1_000 : number;
  }
  if (new RegExp(`^${DURATION}$`, 'i').test(text)) return millisecondsOf(text) / 1_000;
  const atMs = /\d-\d|[a-z]{3}/i.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(atMs) ? null : (atMs - nowMs) / 1_000;
}

function millisecondsOf(duration: string): number {
  let sum = 0;
  for (const [, amount, unit = ''] of duration.matchAll(
    /(\d+(?:\.\d+)?)\s*([a-z]+|[^\d\s,a-z]+)?/gi,
  )) {
    const scale = UNITS.find(([name]) => name.test(unit.toLowerCase()))?.[1] ?? 1_000;
    sum += Number(amount) * scale;
  }
  return sum;
}

function positive(seconds: number): number | null {
  return seconds > 0 ? Math.ceil(seconds) : null;
}
