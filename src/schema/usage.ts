import type { InputShapeFromFields } from '@pothos/core';
import type { Viewer } from '../auth/viewer.ts';
import type { UsageBucket, UsageReport, UsageReports } from '../usage/report.ts';
import {
  DEFAULT_BUCKETS,
  type KeyGroup,
  MAX_BUCKETS,
  MAX_GROUPS,
  MAX_PROMPT_BUCKETS,
  type UsageGroup,
} from '../usage/usage-request.ts';
import type { UsageSums } from '../usage/usage-sums.ts';
import { builder } from './builder.ts';
import { costOfArguments } from './complexity.ts';
import { EditStatusEnum, ImageQuality } from './enums.ts';
import { Prompt } from './prompt.ts';
import { UsageSumsInterface } from './usage-sums.ts';

const UsageGroupEnum = builder.enumType('UsageGroup', {
  description: 'What edits are grouped by.',
  values: {
    HOUR: { description: 'The hour of local time; one that occurs twice is two buckets.' },
    DAY: { description: 'The day of local time; of 23 or 25 hours where the clocks are set.' },
    MONTH: { description: 'The month of local time.' },
    MODEL: { description: 'The model, as sent to the edits API.' },
    UPSTREAM: { description: 'The edits API that it was last sent to; null: to none.' },
    PROMPT: { description: 'The prompt; null: of deleted edits. Not with OWNER.' },
    STATUS: { description: 'The status.' },
    METADATA: {
      description:
        'The label `metadataKey`, as text; null: of edits that do not have it, and of deleted ones.',
    },
    OWNER: { description: 'The owner: everybody’s edits. For admins only.' },
    QUALITY: { description: 'The quality as asked for; null: left to the edits API.' },
    SIZE: { description: 'The size as sent to the edits API.' },
  } satisfies Record<UsageGroup, { description: string }>,
});

const UsageTotals = builder.objectRef<UsageSums>('UsageTotals').implement({
  description: 'Sums over the whole span.',
  interfaces: [UsageSumsInterface],
});

/** A bucket as its interface reads it: the sums beside the rest. */
type BucketShape = UsageSums & Omit<UsageBucket, 'sums'>;

const key = (group: KeyGroup) => (bucket: BucketShape) => bucket.keys[group] ?? null;

const UsageBucketObject = builder.objectRef<BucketShape>('UsageBucket').implement({
  description:
    'Sums over the edits that have the same in all groups asked for. Fields of other groups are null.',
  interfaces: [UsageSumsInterface],
  fields: (t) => ({
    from: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'By HOUR, DAY or MONTH: where it starts, inclusive; in the first one the report’s own `from`.',
      resolve: ({ step }) => step?.from ?? null,
    }),
    to: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'By HOUR, DAY or MONTH: where it ends, exclusive; in the last one the report’s own `to`.',
      resolve: ({ step }) => step?.to ?? null,
    }),
    date: t.string({
      nullable: true,
      description:
        'The local date: `2026-10-25` by DAY, `2026-10` by MONTH, `2026-10-25T02:00+01:00` by HOUR.',
      resolve: ({ step }) => step?.date ?? null,
    }),
    model: t.string({ nullable: true, description: 'By MODEL.', resolve: key('MODEL') }),
    upstream: t.string({
      nullable: true,
      description: 'By UPSTREAM: its name in `upstreams`.',
      resolve: key('UPSTREAM'),
    }),
    prompt: t.prismaField({
      type: Prompt,
      nullable: true,
      description: 'By PROMPT.',
      // Prisma asks once for all buckets.
      resolve: (query, { keys }, _, { prisma, viewer }) =>
        keys.PROMPT == null
          ? null
          : prisma.prompt.findUnique({
              ...query,
              where: { id: keys.PROMPT, ownerId: viewer.ownerId },
            }),
    }),
    status: t.field({
      type: EditStatusEnum,
      nullable: true,
      description: 'By STATUS.',
      resolve: ({ keys }) => (keys.STATUS ?? null) as typeof EditStatusEnum.$inferType | null,
    }),
    metadataValue: t.string({
      nullable: true,
      description: 'By METADATA: the label’s value; numbers and booleans as text.',
      resolve: key('METADATA'),
    }),
    ownerId: t.string({ nullable: true, description: 'By OWNER.', resolve: key('OWNER') }),
    quality: t.field({
      type: ImageQuality,
      nullable: true,
      description: 'By QUALITY.',
      resolve: key('QUALITY'),
    }),
    size: t.string({ nullable: true, description: 'By SIZE.', resolve: key('SIZE') }),
  }),
});

export const UsageReportObject = builder.objectRef<UsageReport>('UsageReport').implement({
  description:
    'Who spent what, by the time edits were created. Totals and buckets are of one moment; deleted edits count.',
  fields: (t) => ({
    totals: t.expose('totals', {
      type: UsageTotals,
      description: 'The whole span; of all buckets, also of those that were not answered.',
    }),
    buckets: t.field({
      type: [UsageBucketObject],
      description:
        'One for each combination that has edits, ordered by time, then by the groups in the order given, nulls last. None without `groupBy`.',
      resolve: ({ buckets }) => buckets.map(({ sums, ...rest }) => ({ ...sums, ...rest })),
    }),
    truncated: t.exposeBoolean('isTruncated', {
      description: 'There are more buckets than `first`.',
    }),
  }),
});

/** A bucket is a row of one statement: it counts a fiftieth of an edit. */
export const usageComplexity = (args: { first?: number | null }) => ({
  field: 1 + costOfArguments(args),
  multiplier: Math.ceil((args.first ?? DEFAULT_BUCKETS) / 50),
});

/** Of the query, and of `User.usage`. */
export const usageArgs = builder.args((t) => ({
  from: t.field({ type: 'DateTime', required: true, description: 'Inclusive.' }),
  to: t.field({
    type: 'DateTime',
    required: true,
    description: 'Exclusive. By HOUR at most 416 days after `from`, by DAY and MONTH 10,000.',
  }),
  groupBy: t.field({
    type: [UsageGroupEnum],
    description: `At most ${MAX_GROUPS}, one of them a unit of time. Absent: totals only.`,
  }),
  timeZone: t.string({
    defaultValue: 'UTC',
    description:
      'Of HOUR, DAY and MONTH: an IANA name such as `Europe/Berlin`, or an offset such as `+05:30`.',
  }),
  metadataKey: t.string({ description: 'The label that METADATA groups by.' }),
  sandbox: t.boolean({
    description: 'True: only edits of the sandbox; false: none of them. Absent: all.',
  }),
  first: t.int({
    defaultValue: DEFAULT_BUCKETS,
    description: `Most buckets: 1 to ${MAX_BUCKETS.toLocaleString('en')}, by PROMPT ${MAX_PROMPT_BUCKETS.toLocaleString('en')}.`,
  }),
}));

type UsageArgs = InputShapeFromFields<typeof usageArgs>;

builder.queryField('usage', (t) =>
  t.field({
    type: UsageReportObject,
    description: 'Edits, pictures, tokens and cost of a span of time, in all and by groups.',
    complexity: usageComplexity,
    args: usageArgs,
    resolve: (_, args, { usageReports, viewer }) => reportUsage(args, usageReports, viewer),
  }),
);

export function reportUsage(args: UsageArgs, usageReports: UsageReports, viewer: Viewer) {
  return usageReports.report(viewer, {
    from: args.from,
    to: args.to,
    groupBy: args.groupBy ?? [],
    timeZone: args.timeZone ?? 'UTC',
    metadataKey: args.metadataKey ?? null,
    sandbox: args.sandbox ?? null,
    first: args.first ?? DEFAULT_BUCKETS,
  });
}
