import type { Viewer } from '../../auth/viewer.ts';
import { visibleOwner } from '../../auth/visible.ts';
import { Prisma, type PrismaClient } from '../../database/database.ts';
import type { JsonObject } from '../input/json-object.ts';
import { filterConditions, hasMetadata } from './filter-sql.ts';
import type { HistoryFilter } from './history-query.ts';
import { all, positions, type Reading, type ReadPosition, stretched } from './history-sql.ts';

/** How many rows in order are looked at before the index is asked. */
export const WALKED_ROWS = 3_000;

/**
 * How many times as many are looked at if that finds as large a part of a page: frequent metadata
 * fills it sooner so than by visiting thousands of edits of the index.
 */
const FURTHER = 10;

/** With more edits than this it is cheaper to test the rows in order than to visit each. */
export const MAX_VISITED_EDITS = 5_000;

/** The same for a count, which ends at some thousands. */
const MAX_COUNTED_VISITS = 50_000;

/** Metadata that edits of one owner must have, and the other conditions. */
export interface MetadataTerm {
  readonly metadata: JsonObject;
  readonly others: readonly Prisma.Sql[];
}

/** Null if the filter has no metadata. */
export function metadataTerm(
  viewer: Viewer,
  { metadata, ...others }: HistoryFilter,
): MetadataTerm | null {
  if (!metadata || Object.keys(metadata).length === 0) return null;
  return { metadata, others: filterConditions(viewer, others) };
}

/**
 * Rows with the given metadata: among the first rows in order, else by the metadata index. Returns
 * null if so many rows match that reading in order finds them soon.
 */
export async function readByMetadata(
  prisma: Pick<PrismaClient, '$queryRaw'>,
  reading: Reading,
  term: MetadataTerm,
): Promise<readonly ReadPosition[] | null> {
  const walk = (rows: number) => prisma.$queryRaw<ReadPosition[]>(walking(reading, term, rows));
  const near = await walk(WALKED_ROWS);
  if (near.length >= reading.limit) return near;
  if (near.length * FURTHER >= reading.limit) {
    const further = await walk(WALKED_ROWS * FURTHER);
    if (further.length >= reading.limit) return further;
  }
  const [answer] = await prisma.$queryRaw<{ rows: ReadPosition[] | null }[]>(
    visiting(reading, term),
  );
  return answer?.rows ?? null;
}

function walking(reading: Reading, { metadata, others }: MetadataTerm, rows: number): Prisma.Sql {
  const walked = stretched(reading, rows, others, {
    more: Prisma.sql`job.metadata`,
  });
  return positions(
    reading,
    Prisma.sql`SELECT walked.id, walked.key FROM (${walked}) AS walked
      WHERE ${hasMetadata(Prisma.sql`walked.metadata`, metadata)}`,
  );
}

function visiting(reading: Reading, { metadata, others }: MetadataTerm): Prisma.Sql {
  const from = Prisma.sql`matching`;
  const found = positions(reading, stretched(reading, reading.limit, others, { from }));
  return Prisma.sql`
    WITH matching AS MATERIALIZED (${editsWithMetadata(reading.viewer, metadata, MAX_VISITED_EDITS + 1)})
    SELECT CASE WHEN (SELECT count(*) FROM matching) <= ${MAX_VISITED_EDITS}::bigint
      THEN to_json(ARRAY(SELECT to_json(found) FROM (${found}) AS found)) END AS rows`;
}

/** Counts the edits with the given metadata, up to `limit`. Null: count in order instead, as in readByMetadata. */
export async function countByMetadata(
  prisma: Pick<PrismaClient, '$queryRaw'>,
  viewer: Viewer,
  { metadata, others }: MetadataTerm,
  limit: number,
): Promise<number | null> {
  const most = others.length === 0 ? limit : MAX_COUNTED_VISITS;
  const those = all([Prisma.sql`TRUE`, ...others]);
  const [answer] = await prisma.$queryRaw<{ matching: bigint; count: bigint }[]>`
    SELECT count(*) AS matching, count(*) FILTER (WHERE ${those}) AS count
    FROM (${editsWithMetadata(viewer, metadata, most)}) AS job`;
  if (answer === undefined) return null;
  const isComplete = answer.matching < most || answer.count >= limit;
  return isComplete ? Math.min(Number(answer.count), limit) : null;
}

function editsWithMetadata(viewer: Viewer, metadata: JsonObject, most: number): Prisma.Sql {
  return Prisma.sql`
    SELECT * FROM "editsWithMetadata"(
      ${visibleOwner(viewer)}, ${JSON.stringify(metadata)}::jsonb, ${most}::bigint)`;
}
