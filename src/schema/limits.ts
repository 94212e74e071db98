import { apiKeysOf, type Viewer } from '../auth/viewer.ts';
import { assertAdmin, visibleOwner } from '../auth/visible.ts';
import { formatAmount, type LimitMeasure, type LimitState } from '../limits/limit-state.ts';
import type { Limits } from '../limits/limits.ts';
import { encodeGlobalId } from '../public-ids/global-id.ts';
import { builder } from './builder.ts';
import { EditJob } from './edit-job.ts';
import { LimitMeasureEnum, LimitWindowEnum } from './limit-enums.ts';

interface MetadataShape {
  readonly key: string;
  readonly value: string;
  readonly ownerId: string | null;
}

const LimitMetadata = builder.objectRef<MetadataShape>('LimitMetadata').implement({
  description: 'Metadata of edits.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'A key of `EditJob.metadata`.' }),
    value: t.exposeString('value', {
      description: 'The key’s value as text: `true` for the boolean, `7` for the number.',
    }),
    ownerId: t.exposeString('ownerId', {
      nullable: true,
      description: 'Whose edits are counted. Null if all owners share the limit.',
    }),
  }),
});

const LimitSubject = builder.objectRef<LimitState>('LimitSubject').implement({
  description: 'Whose edits or requests a limit counts. Exactly one field is not null.',
  fields: (t) => ({
    ownerId: t.string({
      nullable: true,
      description: 'The owner, for a limit of all of an owner’s edits or requests.',
      resolve: ({ subject, ownerId }) => (subject === 'OWNER' ? ownerId : null),
    }),
    apiKeyId: t.id({
      nullable: true,
      description:
        'Global id of the ApiKey, for a limit of a key and of every key that it created.',
      resolve: ({ apiKeyId }) => apiKeyId && encodeGlobalId('ApiKey', apiKeyId),
    }),
    metadata: t.field({
      type: LimitMetadata,
      nullable: true,
      description: 'The metadata, for a limit of the edits that have it.',
      resolve: ({ metadataKey: key, metadataValue: value, ownerId }) =>
        key === null || value === null ? null : { key, value, ownerId },
    }),
  }),
});

const AMOUNTS = {
  amount: 'Maximum that can be used in one window.',
  used: 'Amount used in the current window, including `reserved`. For REQUESTS, in blocks that the processes have leased.',
  reserved:
    'Part of `used` that is reserved for edits that are still queued or running, or whose used amount is unknown: the outcome is unknown, the edit was canceled while running, no tokens were reported, or no price is known. See `resolveOutcome`.',
  remaining: 'Maximum amount that a new edit can reserve: `amount` minus `used`, never below 0.',
  exceededBy:
    'Amount by which `used` exceeds `amount`. Above 0 only if edits used more than they had reserved, or if the limit was lowered.',
} as const;

export const Limit = builder.objectRef<LimitState>('Limit').implement({
  description:
    'A maximum for an owner, an API key or metadata. Every limit that applies to an edit or a request must have room for it. Amounts of COST are in US dollars, exact to a millionth; all others are whole numbers.',
  fields: (t) => ({
    id: t.id({
      description: 'Identifies the limit.',
      resolve: ({ id }) => encodeGlobalId('Limit', id),
    }),
    subject: t.field({
      type: LimitSubject,
      description: 'Whose edits or requests are counted.',
      resolve: (limit) => limit,
    }),
    measure: t.expose('measure', { type: LimitMeasureEnum, description: 'What is counted.' }),
    window: t.field({
      type: LimitWindowEnum,
      nullable: true,
      description:
        'The window over which it is counted. Null for CONCURRENT_EDITS, which has no window.',
      resolve: ({ measure, window }) => (measure === 'CONCURRENT_EDITS' ? null : window),
    }),
    timeZone: t.exposeString('timeZone', {
      description: 'IANA time zone by which hours, days and months begin, such as `Europe/Berlin`.',
    }),
    ...Object.fromEntries(
      Object.entries(AMOUNTS).map(([name, description]) => [
        name,
        t.field({
          type: 'Decimal',
          description,
          resolve: (limit) => formatAmount(limit.measure, limit[name as keyof typeof AMOUNTS]),
        }),
      ]),
    ),
    resetsAt: t.expose('resetsAt', {
      type: 'DateTime',
      nullable: true,
      description:
        'When the next window begins and `used` returns to 0. Null if the limit never resets.',
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      description: 'When the limit was created.',
    }),
  }),
});

interface ReservationShape {
  readonly measure: LimitMeasure;
  readonly amount: bigint;
  readonly settledAt: Date | null;
  /** Null: unknown. */
  readonly used: bigint | null;
}

const Reservation = builder.objectRef<ReservationShape>('LimitReservation').implement({
  description:
    'The maximum that an edit reserves of one measure, in every limit that applies to it, until the used amount is known.',
  fields: (t) => ({
    measure: t.expose('measure', { type: LimitMeasureEnum, description: 'What is reserved.' }),
    amount: t.field({
      type: 'Decimal',
      description:
        'Maximum that the edit uses: US dollars for COST, otherwise a count. See `EditModel.bounds`.',
      resolve: ({ measure, amount }) => formatAmount(measure, amount),
    }),
    settledAt: t.expose('settledAt', {
      type: 'DateTime',
      nullable: true,
      description:
        'When the used amount replaced the reservation. Null while the amount is still reserved.',
    }),
    exceededBy: t.field({
      type: 'Decimal',
      description:
        'Amount by which the edit used more than `amount`; 0 if it did not. Usage above a bound is logged and raises that bound for later edits.',
      resolve: ({ measure, amount, settledAt, used }) => {
        const above = settledAt === null || used === null ? 0n : used - amount;
        return formatAmount(measure, above > 0n ? above : 0n);
      },
    }),
  }),
});

builder.prismaObjectField(EditJob, 'reservations', (t) =>
  t.field({
    type: [Reservation],
    description:
      'What the edit has reserved in limits, by measure. Empty if no limit applied when it was submitted.',
    select: {
      costMicroUsd: true,
      totalTokens: true,
      outputCount: true,
      reservations: { orderBy: { measure: 'asc' } },
    },
    resolve: ({ costMicroUsd, totalTokens, outputCount, reservations }) => {
      const used: Partial<Record<LimitMeasure, bigint | null>> = {
        COST: costMicroUsd,
        TOKENS: totalTokens === null ? null : BigInt(totalTokens),
        IMAGES: BigInt(outputCount),
      };
      return reservations.map((one) => ({ ...one, used: used[one.measure] ?? null }));
    },
  }),
);

/** The limits that apply to the viewer: with an API key, those of the key, too. */
export const limitsOf = (limits: Pick<Limits, 'list'>, viewer: Viewer) =>
  limits.list({ ownerId: visibleOwner(viewer), apiKeyIds: apiKeysOf(viewer) });

builder.queryField('limits', (t) =>
  t.field({
    type: [Limit],
    description:
      'The limits that apply to an owner, to the API key in use, and to metadata of the owner’s edits; oldest first.',
    args: {
      ownerId: t.arg.id({
        description:
          'The owner, with the limits of all of the owner’s API keys; only an admin may name another one. Default: the viewer, with the limits of the API key in use.',
      }),
    },
    resolve: async (_, { ownerId }, { limits, viewer }) => {
      if (ownerId == null) return [...(await limitsOf(limits, viewer))];
      if (ownerId !== visibleOwner(viewer)) assertAdmin(viewer, 'limits of another owner');
      return [...(await limits.list({ ownerId, apiKeyIds: null }))];
    },
  }),
);
