import type { InputShapeFromFields } from '@pothos/core';
import { asOwner, type Viewer } from '../auth/viewer.ts';
import { visibleTo } from '../auth/visible.ts';
import type { UsageBucket, UsageReport, UsageReports } from '../usage/report.ts';
import {
  DEFAULT_BUCKETS,
  type KeyGroup,
  MAX_BUCKETS,
  MAX_GROUPS,
  MAX_PROMPT_BUCKETS,
  type UsageGroup,
} from '../usage/usage-request.ts';
import { ADMIN_TAG, builder } from './builder.ts';
import { costOfArguments } from './complexity.ts';
import { EditTotals } from './edit-totals.ts';
import { EditStatusEnum, ImageQuality } from './enums.ts';
import { findUnlessNull } from './find-unless-null.ts';
import { listsOf, MAY_LAG } from './lagging.ts';
import { Prompt } from './prompt.ts';

const UsageGroupEnum = builder.enumType('UsageGroup', {
  description: 'Key that edits are grouped by.',
  values: {
    HOUR: {
      description:
        'Local hour. An hour that occurs twice, when clocks are set back, is two buckets.',
    },
    DAY: { description: 'Local day, of 23 or 25 hours when clocks change.' },
    MONTH: { description: 'Local month.' },
    MODEL: { description: 'Model, as sent to the upstream.' },
    UPSTREAM: { description: 'Upstream of the last attempt. Null for edits that were never sent.' },
    PROMPT: { description: 'Prompt. Null for deleted edits. Cannot be combined with OWNER.' },
    STATUS: { description: 'Status.' },
    METADATA: {
      description:
        'Value of the metadata key `metadataKey`, as text. Null for edits without the key and for deleted edits.',
    },
    OWNER: {
      tag: ADMIN_TAG,
      description: 'Owner. The report then covers the edits of all owners. Admin only.',
    },
    QUALITY: { description: 'Quality, as requested. Null if omitted.' },
    SIZE: { description: 'Size, as sent to the upstream.' },
  } satisfies Record<UsageGroup, { description: string; tag?: string }>,
});

const key = (group: KeyGroup) => (bucket: UsageBucket) => bucket.keys[group] ?? null;

const UsageBucketObject = builder.objectRef<UsageBucket>('UsageBucket').implement({
  description:
    'The edits with the same values of all keys in `groupBy`. Fields of other keys are null.',
  fields: (t) => ({
    totals: t.expose('sums', {
      type: EditTotals,
      description: 'Sums over the edits of the bucket.',
    }),
    from: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'Start of the bucket, inclusive, when grouped by HOUR, DAY or MONTH. In the first bucket it is `from` of the report.',
      resolve: ({ step }) => step?.from ?? null,
    }),
    to: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'End of the bucket, exclusive, when grouped by HOUR, DAY or MONTH. In the last bucket it is `to` of the report.',
      resolve: ({ step }) => step?.to ?? null,
    }),
    date: t.string({
      nullable: true,
      description:
        'Local date of the bucket: `2026-10-25` for DAY, `2026-10` for MONTH, `2026-10-25T02:00+01:00` for HOUR.',
      resolve: ({ step }) => step?.date ?? null,
    }),
    model: t.string({
      nullable: true,
      description: 'Model, when grouped by MODEL.',
      resolve: key('MODEL'),
    }),
    upstream: t.string({
      nullable: true,
      description: 'Name of the upstream, as in `upstreams`, when grouped by UPSTREAM.',
      resolve: key('UPSTREAM'),
    }),
    prompt: t.prismaField({
      type: Prompt,
      nullable: true,
      description: 'Prompt, when grouped by PROMPT.',
      // Prisma batches the lookups of all buckets.
      resolve: (query, { keys }, _, { prisma, viewer }) =>
        findUnlessNull(query, keys.PROMPT, (selection, id) =>
          prisma.prompt.findUnique({ ...selection, where: { id, ...visibleTo(viewer) } }),
        ),
    }),
    status: t.field({
      type: EditStatusEnum,
      nullable: true,
      description: 'Status, when grouped by STATUS.',
      resolve: ({ keys }) => (keys.STATUS ?? null) as typeof EditStatusEnum.$inferType | null,
    }),
    metadataValue: t.string({
      nullable: true,
      description: 'Metadata value, when grouped by METADATA; numbers and booleans as text.',
      resolve: key('METADATA'),
    }),
    ownerId: t.string({
      tag: ADMIN_TAG,
      nullable: true,
      description: 'Owner id, when grouped by OWNER.',
      resolve: key('OWNER'),
    }),
    quality: t.field({
      type: ImageQuality,
      nullable: true,
      description: 'Quality, when grouped by QUALITY.',
      resolve: key('QUALITY'),
    }),
    size: t.field({
      type: 'ImageSize',
      nullable: true,
      description: 'Size, when grouped by SIZE.',
      resolve: key('SIZE'),
    }),
  }),
});

export const UsageReportObject = builder.objectRef<UsageReport>('UsageReport').implement({
  description:
    'Usage and cost of edits in a time range, by creation time. Totals and buckets come from one snapshot. Deleted edits are included.',
  fields: (t) => ({
    totals: t.expose('totals', {
      type: EditTotals,
      description:
        'Sums over the whole time range, including buckets that were cut off by `first`.',
    }),
    buckets: t.field({
      type: [UsageBucketObject],
      description:
        'One bucket for each combination of keys that has edits, sorted by time, then by the keys in the order of `groupBy`, nulls last. Empty without `groupBy`.',
      resolve: ({ buckets }) => [...buckets],
    }),
    truncated: t.exposeBoolean('isTruncated', {
      description: 'Whether there are more buckets than `first`.',
    }),
  }),
});

/** All buckets come from one statement, so a bucket costs a fiftieth of an edit. */
export const usageComplexity = (args: { first?: number | null }) => ({
  field: 1 + costOfArguments(args),
  multiplier: Math.ceil((args.first ?? DEFAULT_BUCKETS) / 50),
});

/** Shared by the query `usage` and by `User.usage`. */
export const usageArgs = builder.args((t) => ({
  from: t.field({
    type: 'DateTime',
    required: true,
    description: 'Start of the time range, inclusive.',
  }),
  to: t.field({
    type: 'DateTime',
    required: true,
    description:
      'End of the time range, exclusive. With HOUR at most 416 days after `from`; with DAY or MONTH at most 10,000 days.',
  }),
  groupBy: t.field({
    type: [UsageGroupEnum],
    description: `Keys to group by: at most ${MAX_GROUPS}, of which at most one of HOUR, DAY and MONTH. Omit for totals only.`,
  }),
  timeZone: t.string({
    defaultValue: 'UTC',
    description:
      'Time zone for HOUR, DAY and MONTH: an IANA name such as `Europe/Berlin`, or an offset such as `+05:30`.',
  }),
  metadataKey: t.string({ description: 'Metadata key that METADATA groups by.' }),
  sandbox: t.boolean({
    description: 'True: only edits made by the sandbox; false: only other edits. Omit for all.',
  }),
  first: t.int({
    defaultValue: DEFAULT_BUCKETS,
    description: `Maximum number of buckets: 1 to ${MAX_BUCKETS.toLocaleString('en')}, or 1 to ${MAX_PROMPT_BUCKETS.toLocaleString('en')} with PROMPT.`,
  }),
}));

type UsageArgs = InputShapeFromFields<typeof usageArgs>;

builder.queryField('usage', (t) =>
  t.field({
    type: UsageReportObject,
    description: `Edits, images, tokens and cost in a time range: totals, and buckets by the keys in \`groupBy\`. ${MAY_LAG}`,
    complexity: usageComplexity,
    args: usageArgs,
    resolve: (_, args, context, info) =>
      reportUsage(args, listsOf(context, info), asOwner(context.viewer)),
  }),
);

export function reportUsage(
  args: UsageArgs,
  { usageReports }: { readonly usageReports: UsageReports },
  viewer: Viewer,
) {
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
