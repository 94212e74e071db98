import { isOwnerId, MAX_OWNER_CHARACTERS } from '../auth/owner-id.ts';
import { assertAdmin } from '../auth/visible.ts';
import { checkAll, InvalidInputError, NotFoundError } from '../errors.ts';
import { fractionDigits, type LimitMeasure, type LimitState } from '../limits/limit-state.ts';
import type { LimitWindow } from '../limits/limit-window.ts';
import type { LimitTarget } from '../limits/set-limit.ts';
import { parseDecimal } from '../models/decimal.ts';
import { requireId } from '../public-ids/global-id.ts';
import { isTimeZone } from '../usage/time-zone.ts';
import { auditorOf } from './auditor.ts';
import { ADMIN_TAG, builder } from './builder.ts';
import { LimitMeasureEnum, LimitWindowEnum } from './limit-enums.ts';
import { Limit } from './limits.ts';

const LimitMetadataInput = builder.inputType('LimitMetadataInput', {
  tag: ADMIN_TAG,
  description: 'Metadata of edits, such as the key `project` with the value `x`.',
  fields: (t) => ({
    key: t.string({ required: true, description: 'A key of `EditJob.metadata`.' }),
    value: t.string({
      required: true,
      description: 'The key’s value as text: `true` for the boolean, `7` for the number.',
    }),
    ownerId: t.id({
      description: 'Counts only edits of this owner. Omit for one limit that all owners share.',
    }),
  }),
});

const LimitSubjectInput = builder.inputType('LimitSubjectInput', {
  tag: ADMIN_TAG,
  isOneOf: true,
  description: 'Whose edits or requests are counted. Exactly one field.',
  fields: (t) => ({
    ownerId: t.id({
      description:
        'All of an owner, as in `UsageBucket.ownerId`; the owner is `local` without authentication.',
    }),
    apiKeyId: t.id({
      description: 'Global id of an ApiKey: the key, and every key that it created.',
    }),
    metadata: t.field({ type: LimitMetadataInput, description: 'Edits with certain metadata.' }),
  }),
});

const SetLimitInput = builder.inputType('SetLimitInput', {
  tag: ADMIN_TAG,
  description: 'The limit. There is one for each subject, measure and window.',
  fields: (t) => ({
    subject: t.field({
      type: LimitSubjectInput,
      required: true,
      description: 'Whose edits or requests are counted.',
    }),
    measure: t.field({ type: LimitMeasureEnum, required: true, description: 'What is counted.' }),
    window: t.field({
      type: LimitWindowEnum,
      description:
        'The window over which it is counted. Required, but must be omitted for CONCURRENT_EDITS; MINUTE or omitted for REQUESTS.',
    }),
    timeZone: t.string({
      description:
        'IANA time zone by which hours, days and months begin, such as `Europe/Berlin`. If omitted, it stays unchanged; a new limit uses UTC.',
    }),
    amount: t.field({
      type: 'Decimal',
      description:
        'Maximum for one window: US dollars with at most six decimal places for COST, otherwise a whole number; at least 1 for REQUESTS. Required; null removes the limit.',
    }),
  }),
});

const SetLimitPayload = builder
  .objectRef<{ limit: LimitState | null }>('SetLimitPayload')
  .implement({
    tag: ADMIN_TAG,
    description: 'Result of a successful `setLimit`.',
    fields: (t) => ({
      limit: t.field({
        type: Limit,
        nullable: true,
        description: 'The limit after the change. Null if it was removed.',
        resolve: ({ limit }) => limit,
      }),
    }),
  });

builder.mutationField('setLimit', (t) =>
  t.field({
    type: SetLimitPayload,
    tag: ADMIN_TAG,
    description:
      'Creates, changes or removes a limit. What edits of the current window have used and reserved counts from the start. Admin only.',
    errors: {
      types: [InvalidInputError, NotFoundError],
      directResult: true,
      union: { tag: ADMIN_TAG, name: 'SetLimitResult', description: 'The limit, or an error.' },
    },
    args: { input: t.arg({ type: SetLimitInput, required: true, description: 'The limit.' }) },
    resolve: async (_, { input }, context) => {
      assertAdmin(context.viewer, 'setLimit');
      const { subject, measure, window, timeZone = null, amount } = input;
      const checked = checkAll({
        target: () => checkSubject(subject, measure),
        window: () => checkWindow(measure, window ?? null),
        timeZone: () => checkTimeZone(timeZone),
        amount: () => checkAmount(measure, amount),
      });
      return { limit: await context.setLimit(auditorOf(context), { measure, ...checked }) };
    },
  }),
);

type SubjectInput = typeof LimitSubjectInput.$inferInput;

function checkSubject(input: SubjectInput, measure: LimitMeasure): LimitTarget {
  const { ownerId, apiKeyId, metadata } = input;
  const given = [ownerId, apiKeyId, metadata].filter((value) => value != null);
  if (given.length !== 1) {
    throw invalid('subject', 'subject must have exactly one of ownerId, apiKeyId and metadata.');
  }
  if (ownerId != null) return { subject: 'OWNER', ownerId: checkOwner('subject.ownerId', ownerId) };
  if (apiKeyId != null) return { subject: 'API_KEY', apiKeyId: requireId('ApiKey', apiKeyId) };
  const { key: metadataKey = '', value: metadataValue = '', ownerId: owner } = metadata ?? {};
  if (measure === 'REQUESTS') {
    throw invalid('subject', 'REQUESTS can only be limited for an owner or an API key.');
  }
  return {
    subject: 'METADATA',
    ownerId: owner == null ? null : checkOwner('subject.metadata.ownerId', owner),
    metadataKey: checkText('subject.metadata.key', metadataKey, 64),
    metadataValue: checkText('subject.metadata.value', metadataValue, 512),
  };
}

function checkOwner(field: string, ownerId: string): string {
  if (isOwnerId(ownerId)) return ownerId;
  throw invalid(
    field,
    `${field} must have 1 to ${MAX_OWNER_CHARACTERS} characters, without control characters.`,
  );
}

function checkText(field: string, text: string, max: number): string {
  if (text !== '' && text.length <= max && !text.includes('\0')) return text;
  throw invalid(field, `${field} must have 1 to ${max} characters.`);
}

function checkWindow(measure: LimitMeasure, window: LimitWindow | null): LimitWindow {
  if (measure === 'CONCURRENT_EDITS') {
    if (window === null) return 'TOTAL';
    throw invalid('window', 'window must be omitted for CONCURRENT_EDITS.');
  }
  if (measure === 'REQUESTS') {
    if (window === null || window === 'MINUTE') return 'MINUTE';
    throw invalid('window', 'window must be MINUTE for REQUESTS.');
  }
  if (window !== null) return window;
  throw new InvalidInputError('window', 'REQUIRED', `window is required for ${measure}.`);
}

function checkTimeZone(timeZone: string | null): string | null {
  if (timeZone === null || isTimeZone(timeZone)) return timeZone;
  throw invalid('timeZone', `timeZone must be an IANA time zone, such as Europe/Berlin.`);
}

/** An omitted amount is rejected: the caller may not intend to remove the limit. */
function checkAmount(measure: LimitMeasure, amount: string | null | undefined): bigint | null {
  if (amount === null) return null;
  if (amount === undefined) {
    throw new InvalidInputError(
      'amount',
      'REQUIRED',
      'amount is required: a maximum, or null to remove the limit.',
    );
  }
  const digits = fractionDigits(measure);
  const units = parseDecimal(amount, digits);
  if (units === 0n && measure === 'REQUESTS') {
    throw new InvalidInputError(
      'amount',
      'TOO_SMALL',
      'amount must be at least 1 for REQUESTS, so that the limit can be changed again.',
    );
  }
  if (units !== null) return units;
  throw invalid(
    'amount',
    digits === 0
      ? `amount must be a whole number for ${measure}, with at most 12 digits.`
      : `amount must have at most ${digits} digits after the point and 12 before it.`,
  );
}

function invalid(field: string, message: string): InvalidInputError {
  return new InvalidInputError(field, 'INVALID_VALUE', message);
}
