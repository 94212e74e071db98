import type { Viewer } from '../../auth/viewer.ts';
import { visibleOwner } from '../../auth/visible.ts';
import { Prisma, type PrismaClient } from '../../database/database.ts';
import type { Position } from '../../paging/keyset.ts';
import type { JsonObject } from '../input/json-object.ts';
import { filterConditions, hasLabels } from './filter-sql.ts';
import type { HistoryFilter } from './history-query.ts';
import { all, positions, type Reading, stretched } from './history-sql.ts';

/** How many rows in order are looked at before the index is asked. */
export const WALKED_ROWS = 3_000;

/** With more edits than this it is cheaper to test the rows in order than to visit each. */
export const MAX_VISITED_EDITS = 5_000;

/** The same for a count, which ends at some thousands. */
const MAX_COUNTED_VISITS = 50_000;

/** Labels to be found among the edits of one owner, and what else is asked for. */
export interface LabelTerm {
  readonly labels: JsonObject;
  readonly others: readonly Prisma.Sql[];
}

/** Null: no label is asked for. */
export function labelTerm(
  viewer: Viewer,
  { metadata, ...others }: HistoryFilter,
): LabelTerm | null {
  if (!metadata || Object.keys(metadata).length === 0) return null;
  return { labels: metadata, others: filterConditions(viewer, others) };
}

/**
 * Rows with labels: from the first ones in order, else those that the index of labels finds.
 * Null: so many have the labels that a reader in order comes upon them soon.
 */
export async function readLabeled(
  prisma: Pick<PrismaClient, '$queryRaw'>,
  reading: Reading,
  term: LabelTerm,
): Promise<readonly Position[] | null> {
  const near = await prisma.$queryRaw<Position[]>(walking(reading, term));
  if (near.length >= reading.limit) return near;
  const [answer] = await prisma.$queryRaw<{ rows: Position[] | null }[]>(visiting(reading, term));
  return answer?.rows ?? null;
}

function walking(reading: Reading, { labels, others }: LabelTerm): Prisma.Sql {
  const walked = stretched(reading, WALKED_ROWS, others, {
    more: Prisma.sql`job.metadata`,
  });
  return positions(
    reading,
    Prisma.sql`SELECT walked.id, walked.key FROM (${walked}) AS walked
      WHERE ${hasLabels(Prisma.sql`walked.metadata`, labels)}`,
  );
}

function visiting(reading: Reading, { labels, others }: LabelTerm): Prisma.Sql {
  const from = Prisma.sql`labeled`;
  const found = positions(reading, stretched(reading, reading.limit, others, { from }));
  return Prisma.sql`
    WITH labeled AS MATERIALIZED (${editsLabeled(reading.viewer, labels, MAX_VISITED_EDITS + 1)})
    SELECT CASE WHEN (SELECT count(*) FROM labeled) <= ${MAX_VISITED_EDITS}::bigint
      THEN to_json(ARRAY(SELECT to_json(found) FROM (${found}) AS found)) END AS rows`;
}

/** So many edits have labels, counted to `limit`. Null: to be counted in order, as in readLabeled. */
export async function countLabeled(
  prisma: Pick<PrismaClient, '$queryRaw'>,
  viewer: Viewer,
  { labels, others }: LabelTerm,
  limit: number,
): Promise<number | null> {
  const most = others.length === 0 ? limit : MAX_COUNTED_VISITS;
  const those = all([Prisma.sql`TRUE`, ...others]);
  const [answer] = await prisma.$queryRaw<{ labeled: bigint; count: bigint }[]>`
    SELECT count(*) AS labeled, count(*) FILTER (WHERE ${those}) AS count
    FROM (${editsLabeled(viewer, labels, most)}) AS job`;
  if (answer === undefined) return null;
  const isComplete = answer.labeled < most || answer.count >= limit;
  return isComplete ? Math.min(Number(answer.count), limit) : null;
}

function editsLabeled(viewer: Viewer, labels: JsonObject, most: number): Prisma.Sql {
  return Prisma.sql`
    SELECT * FROM "editsWithMetadata"(
      ${visibleOwner(viewer)}, ${JSON.stringify(labels)}::jsonb, ${most}::bigint)`;
}
