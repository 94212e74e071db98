import { z } from 'zod';
import type { Viewer } from '../auth/viewer.ts';
import { ofAllOwners, visibleRows } from '../auth/visible.ts';
import { Prisma, type PrismaClient } from '../database/database.ts';
import { type TimeStep, timeSteps } from './time-steps.ts';
import {
  checkUsageRequest,
  isTimeUnit,
  type KeyGroup,
  type UsageGroup,
  type UsageRequest,
} from './usage-request.ts';
import { SUMS_OF_EDITS, SUMS_OF_SUMS, type UsageSums, usageSumsSchema } from './usage-sums.ts';

/** Sums of the edits with the same values in all groups. */
export interface UsageBucket {
  readonly sums: UsageSums;
  /** Null without a time unit. */
  readonly step: TimeStep | null;
  /** Values of the other requested groups; null if an edit has none. */
  readonly keys: Partial<Record<KeyGroup, string | null>>;
}

export interface UsageReport {
  /** Of all buckets, including those beyond `first`. */
  readonly totals: UsageSums;
  /** By time, then by the groups in order, by character codes, nulls last. */
  readonly buckets: readonly UsageBucket[];
  /** Whether there are more than `first`. */
  readonly isTruncated: boolean;
}

export interface UsageReports {
  /**
   * Edits created from `from` to `to`, including deleted ones: the viewer's, or with OWNER those of
   * all owners. One statement reads totals and buckets, so they are consistent.
   * @throws InvalidInputError, ForbiddenError
   */
  report(viewer: Viewer, request: UsageRequest): Promise<UsageReport>;
}

export function createUsageReports({ prisma }: { prisma: PrismaClient }): UsageReports {
  return {
    async report(viewer, request) {
      checkUsageRequest(request, viewer);
      const { from, to, timeZone, first } = request;
      const unit = request.groupBy.find(isTimeUnit);
      const steps = unit === undefined ? [] : timeSteps({ unit, from, to, timeZone });
      const keys = request.groupBy.filter((group): group is KeyGroup => !isTimeUnit(group));
      const groups = unit === undefined ? keys : [unit, ...keys];
      const rows = await prisma.$queryRaw<Record<string, unknown>[]>(
        toSql(viewer, request, groups, steps),
      );
      const [totals, ...buckets] = rows.map((row) => readRow(row, groups, steps));
      if (totals === undefined) throw new Error('a usage report has at least its totals');
      return {
        totals: totals.sums,
        buckets: buckets.slice(0, first),
        isTruncated: buckets.length > first,
      };
    },
  };
}

/** One row of totals, one per bucket, and one more if there are more than requested. */
function toSql(
  viewer: Viewer,
  request: UsageRequest,
  groups: readonly UsageGroup[],
  steps: readonly TimeStep[],
): Prisma.Sql {
  const { from, to, sandbox, first } = request;
  const where = [
    Prisma.sql`"createdAt" >= ${from} AND "createdAt" < ${to}`,
    ...(groups.includes('OWNER') ? ofAllOwners([]) : [visibleRows(viewer, 'EditJob')]),
    ...(sandbox === null ? [] : [Prisma.sql`"sandbox" = ${sandbox}`]),
  ];
  const names = groups.map((_, index) => Prisma.raw(`"group${index}"`));
  const [name] = names;
  if (name === undefined) {
    return Prisma.sql`
      SELECT ${SUMS_OF_SUMS} FROM (
        SELECT ${SUMS_OF_EDITS} FROM "EditJob" WHERE ${Prisma.join(where, ' AND ')}
      ) AS totals`;
  }
  const values = groups.map(
    (group, index) => Prisma.sql`${columnOf(group, request, steps)} AS ${names[index]}`,
  );
  // Orders text by character codes, whatever the database's locale.
  const shown = groups.map((group, index) =>
    isTimeUnit(group)
      ? Prisma.sql`${names[index]}`
      : Prisma.sql`${names[index]}::text COLLATE "C" AS ${names[index]}`,
  );
  // OFFSET 0 isolates the innermost query. Otherwise Postgres would treat `createdAt` as the
  // grouping key, expect one bucket per edit, and sort on disk instead of aggregating by hash.
  return Prisma.sql`
    SELECT ${Prisma.join([...shown, SUMS_OF_SUMS])} FROM (
      SELECT ${Prisma.join([...names, SUMS_OF_EDITS])} FROM (
        SELECT ${Prisma.join(values)}, "EditJob".* FROM "EditJob"
        WHERE ${Prisma.join(where, ' AND ')} OFFSET 0
      ) AS job
      GROUP BY ${Prisma.join(names)}
    ) AS bucket
    GROUP BY GROUPING SETS ((${Prisma.join(names)}), ())
    ORDER BY GROUPING(${name}) DESC, ${Prisma.join(names)}
    LIMIT ${first + 2}`;
}

function columnOf(
  group: UsageGroup,
  { metadataKey }: UsageRequest,
  steps: readonly TimeStep[],
): Prisma.Sql {
  if (isTimeUnit(group)) {
    const starts = steps.map((step) => step.from.toISOString());
    return Prisma.sql`width_bucket("createdAt", ${starts}::timestamptz[])`;
  }
  if (group === 'METADATA') return Prisma.sql`"metadata" ->> ${metadataKey}::text`;
  return Prisma.raw(`"${COLUMN[group]}"`);
}

const COLUMN = {
  MODEL: 'model',
  UPSTREAM: 'upstream',
  PROMPT: 'promptId',
  STATUS: 'status',
  OWNER: 'ownerId',
  QUALITY: 'quality',
  SIZE: 'resolvedSize',
} satisfies Record<Exclude<KeyGroup, 'METADATA'>, Prisma.EditJobScalarFieldEnum>;

const valueSchema = z.union([z.string(), z.number(), z.null()]);

function readRow(
  row: Record<string, unknown>,
  groups: readonly UsageGroup[],
  steps: readonly TimeStep[],
): UsageBucket {
  const keys: UsageBucket['keys'] = {};
  let step: TimeStep | null = null;
  for (const [index, group] of groups.entries()) {
    const value = valueSchema.parse(row[`group${index}`]);
    if (isTimeUnit(group)) step = steps[Number(value) - 1] ?? null;
    else keys[group] = value === null ? null : String(value);
  }
  return { sums: usageSumsSchema.parse(row), step, keys };
}
