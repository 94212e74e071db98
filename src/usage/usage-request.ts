import type { Viewer } from '../auth/viewer.ts';
import { assertAdmin } from '../auth/visible.ts';
import { checkAll, type InvalidInputCode, InvalidInputError } from '../errors.ts';
import { MAX_SPAN_MS, type TimeUnit } from './time-steps.ts';
import { isTimeZone } from './time-zone.ts';

/** What edits are grouped by besides time; an edit may have no value. */
export type KeyGroup =
  | 'MODEL'
  | 'UPSTREAM'
  | 'PROMPT'
  | 'STATUS'
  | 'METADATA'
  | 'OWNER'
  | 'QUALITY'
  | 'SIZE';

export type UsageGroup = TimeUnit | KeyGroup;

export interface UsageRequest {
  readonly from: Date;
  /** Exclusive. */
  readonly to: Date;
  /** At most MAX_GROUPS, at most one of them a time unit; buckets are ordered by them. */
  readonly groupBy: readonly UsageGroup[];
  /** Time zone of the time units. */
  readonly timeZone: string;
  /** The metadata key of METADATA; null without METADATA. */
  readonly metadataKey: string | null;
  /** True for only sandbox edits, false for only others; null for all. */
  readonly sandbox: boolean | null;
  /** Maximum number of buckets to return. */
  readonly first: number;
}

export const MAX_GROUPS = 3;
export const DEFAULT_BUCKETS = 1_000;
export const MAX_BUCKETS = 10_000;

/** Lower limit with PROMPT, because prompts are long. */
export const MAX_PROMPT_BUCKETS = 1_000;

const MAX_METADATA_KEY_CHARACTERS = 64;

export function isTimeUnit(group: UsageGroup): group is TimeUnit {
  return Object.hasOwn(MAX_SPAN_MS, group);
}

/**
 * @throws InvalidInputError naming the argument and the limit; ForbiddenError for OWNER, unless the
 * viewer is an admin.
 */
export function checkUsageRequest(request: UsageRequest, viewer: Viewer): void {
  const { from, to, groupBy, timeZone, metadataKey, first } = request;
  const has = (group: UsageGroup) => groupBy.includes(group);
  if (has('OWNER')) assertAdmin(viewer, 'usage grouped by OWNER');
  const units = groupBy.filter(isTimeUnit);
  checkAll({
    from() {
      if (from > to) refuse('from', 'INVALID_VALUE', 'from must not be later than to.');
    },
    to() {
      // Several units are a problem of their own.
      const [unit, ...others] = units;
      if (unit && others.length === 0) checkSpan(unit, to.getTime() - from.getTime());
    },
    groupBy: () => checkGroups(groupBy, units),
    timeZone() {
      if (isTimeZone(timeZone)) return;
      refuse(
        'timeZone',
        'UNSUPPORTED_VALUE',
        `timeZone ${JSON.stringify(timeZone)} is not known: use an IANA name such as "Europe/Berlin", or an offset such as "+05:30".`,
      );
    },
    metadataKey: () => checkMetadataKey(metadataKey, has('METADATA')),
    first: () => checkFirst(first, has('PROMPT')),
  });
}

function checkGroups(groupBy: readonly UsageGroup[], units: readonly TimeUnit[]): void {
  checkAll({
    number() {
      if (groupBy.length <= MAX_GROUPS) return;
      refuse('groupBy', 'TOO_MANY', `groupBy may have at most ${MAX_GROUPS} keys.`);
    },
    unique() {
      if (new Set(groupBy).size === groupBy.length) return;
      refuse('groupBy', 'INVALID_VALUE', 'groupBy has the same key twice.');
    },
    units() {
      if (units.length <= 1) return;
      const message = `groupBy may have one unit of time, not ${units.join(' and ')}.`;
      refuse('groupBy', 'INVALID_VALUE', message);
    },
    ownPrompts() {
      if (!groupBy.includes('OWNER') || !groupBy.includes('PROMPT')) return;
      refuse('groupBy', 'INVALID_VALUE', 'groupBy cannot combine PROMPT with OWNER.');
    },
  });
}

function checkFirst(first: number, isByPrompt: boolean): void {
  const most = isByPrompt ? MAX_PROMPT_BUCKETS : MAX_BUCKETS;
  if (first >= 1 && first <= most) return;
  refuse(
    'first',
    first < 1 ? 'TOO_SMALL' : 'TOO_LARGE',
    `first must be 1 to ${most}${isByPrompt ? ' with PROMPT' : ''}; it is ${first}.`,
  );
}

function checkSpan(unit: TimeUnit, spanMs: number): void {
  if (spanMs <= MAX_SPAN_MS[unit]) return;
  const days = Math.floor(MAX_SPAN_MS[unit] / 86_400_000);
  refuse(
    'to',
    'TOO_LARGE',
    `With groupBy ${unit} a report may span at most ${days} days: use a later from or an earlier to${unit === 'HOUR' ? ', or group by DAY' : ''}.`,
  );
}

function checkMetadataKey(key: string | null, isGroup: boolean): void {
  if (isGroup && key === null) {
    refuse(
      'metadataKey',
      'REQUIRED',
      'groupBy METADATA requires metadataKey, the metadata key to group by.',
    );
  }
  if (key === null) return;
  if (!isGroup)
    refuse('metadataKey', 'INVALID_VALUE', 'metadataKey may only be set with groupBy METADATA.');
  if (key === '' || key.length > MAX_METADATA_KEY_CHARACTERS || key.includes('\0')) {
    refuse(
      'metadataKey',
      'INVALID_VALUE',
      `metadataKey must have 1 to ${MAX_METADATA_KEY_CHARACTERS} characters and no NUL.`,
    );
  }
}

function refuse(argument: string, code: InvalidInputCode, message: string): never {
  throw new InvalidInputError(argument, code, `usage: ${message}`);
}
