import { SCOPES, type Scope } from '../auth/scopes.ts';
import { ValueError } from './usage-error.ts';

const UNITS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A duration such as `24h`, in milliseconds. @throws ValueError */
export function readDuration(option: string, text: string): number {
  const ms = durationMs(text);
  if (ms !== null) return ms;
  throw new ValueError(
    `${option} must be a duration such as 30m, 24h or 90d, not ${quoted(text)}.`,
  );
}

/** A date, a time with its offset, or a duration from now. @throws ValueError */
export function readExpiry(option: string, text: string, now: Date): string {
  const ms = durationMs(text);
  const at = ms === null ? dateOf(text) : new Date(now.getTime() + ms);
  if (at !== null && !Number.isNaN(at.getTime())) return at.toISOString();
  throw new ValueError(
    `${option} must be a date such as 2027-01-01, a time such as 2027-01-01T12:00:00Z, or a duration such as 90d, not ${quoted(text)}.`,
  );
}

/** A date, or a time with its offset. @throws ValueError */
export function readTime(option: string, text: string): string {
  const at = dateOf(text);
  if (at !== null && !Number.isNaN(at.getTime())) return at.toISOString();
  throw new ValueError(
    `${option} must be a date such as 2027-01-01, or a time such as 2027-01-01T12:00:00Z, not ${quoted(text)}.`,
  );
}

/** @throws ValueError */
export function readScope(option: string, text: string): Scope {
  const scope = SCOPES.find((one) => one.toLowerCase() === text);
  if (scope !== undefined) return scope;
  throw new ValueError(`${option} must be read, edit or admin, not ${quoted(text)}.`);
}

function durationMs(text: string): number | null {
  const [, count, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  return count === undefined ? null : Number(count) * UNITS[unit as keyof typeof UNITS];
}

/** A date begins at midnight UTC. Null for a day that does not exist, such as 2027-02-30. */
function dateOf(text: string): Date | null {
  const [, day] =
    /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/.exec(text) ?? [];
  if (day === undefined) return null;
  const midnight = new Date(`${day}T00:00:00Z`);
  if (Number.isNaN(midnight.getTime()) || !midnight.toISOString().startsWith(day)) return null;
  return new Date(text);
}

const quoted = (text: string) => JSON.stringify(text);
