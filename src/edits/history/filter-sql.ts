import type { Viewer } from '../../auth/viewer.ts';
import { visibleRows } from '../../auth/visible.ts';
import { Prisma } from '../../database/database.ts';
import type { JsonObject } from '../input/json-object.ts';
import type { HistoryFilter, NumberRange, TimeRange } from './history-query.ts';

/**
 * What a filter asks of the row `job` of "EditJob", as conditions that all must hold. They do not
 * contain the rule on `job` itself.
 */
export function filterConditions(viewer: Viewer, filter: HistoryFilter): Prisma.Sql[] {
  const { status, model, size, quality, upstream, sandbox, source, createdAt, finishedAt } = filter;
  const { totalTokens, costMicroUsd, errorCode, hasError, metadata } = filter;
  const { promptId, inputImageId, outputImageId } = filter;
  return [
    status && oneOf(Prisma.sql`job.status`, status, Prisma.sql`"EditStatus"`),
    model && oneOf(Prisma.sql`job.model`, model),
    size &&
      Prisma.sql`(${oneOf(Prisma.sql`job.size`, size)} OR
      ${oneOf(Prisma.sql`job."resolvedSize"`, size)})`,
    quality && oneOf(Prisma.sql`job.quality`, quality),
    upstream && oneOf(Prisma.sql`job.upstream`, upstream),
    sandbox !== undefined && sandbox !== null && Prisma.sql`job.sandbox = ${sandbox}`,
    source && Prisma.sql`job.source = ${source}::"EditSource"`,
    ...during(Prisma.sql`job."createdAt"`, createdAt),
    ...during(Prisma.sql`job."finishedAt"`, finishedAt),
    ...between(Prisma.sql`job."totalTokens"`, totalTokens),
    ...between(Prisma.sql`job."costMicroUsd"`, costMicroUsd),
    errorCode &&
      Prisma.sql`${oneOf(Prisma.sql`job."errorCode"`, errorCode)} AND job."errorCode" IS NOT NULL`,
    hasError === true && Prisma.sql`job."errorCode" IS NOT NULL`,
    hasError === false && Prisma.sql`job."errorCode" IS NULL`,
    metadata && hasMetadata(Prisma.sql`job.metadata`, metadata),
    promptId && Prisma.sql`job."promptId" = ${promptId}::uuid`,
    inputImageId && hasImage(viewer, inputImageId, Prisma.sql`'INPUT', 'MASK'`),
    outputImageId && hasImage(viewer, outputImageId, Prisma.sql`'OUTPUT'`),
  ].filter((condition) => typeof condition === 'object' && condition !== null);
}

export function hasMetadata(column: Prisma.Sql, metadata: JsonObject): Prisma.Sql {
  return Prisma.sql`${column} @> ${JSON.stringify(metadata)}::jsonb`;
}

/** One value as an equation: an index that goes on with the order gives the rows in that order. */
function oneOf(column: Prisma.Sql, values: readonly string[], type = Prisma.sql`text`): Prisma.Sql {
  const [only, ...more] = values;
  if (only !== undefined && more.length === 0) return Prisma.sql`${column} = ${only}::${type}`;
  return Prisma.sql`${column} = ANY (${[...values]}::text[]::${type}[])`;
}

function during(column: Prisma.Sql, range: TimeRange | null | undefined): Prisma.Sql[] {
  const { from, to } = range ?? {};
  return [
    ...(from ? [Prisma.sql`${column} >= ${from.toISOString()}::timestamptz`] : []),
    ...(to ? [Prisma.sql`${column} < ${to.toISOString()}::timestamptz`] : []),
  ];
}

function between(
  column: Prisma.Sql,
  range: NumberRange<number | bigint> | null | undefined,
): Prisma.Sql[] {
  const { min = null, max = null } = range ?? {};
  return [
    ...(min === null ? [] : [Prisma.sql`${column} >= ${min.toString()}::bigint`]),
    ...(max === null ? [] : [Prisma.sql`${column} <= ${max.toString()}::bigint`]),
  ];
}

function hasImage(viewer: Viewer, imageId: string, roles: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`EXISTS (
    SELECT 1 FROM "EditJobImage" AS image
    WHERE image."jobId" = job.id AND image."imageId" = ${imageId}::uuid AND image.role IN (${roles})
      AND ${visibleRows(viewer, 'image')})`;
}
