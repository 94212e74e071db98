import type { Viewer } from '../../auth/viewer.ts';
import { visibleRows } from '../../auth/visible.ts';
import { Prisma } from '../../database/database.ts';
import { byId, type ListSource } from '../../paging/lists.ts';
import { isInHistory } from '../history/history-sql.ts';

/**
 * The links between edits: `made` has an image as its output that `taken` has as an input or a
 * mask. The later one is the child: images are stored once per owner, so an edit may also return an
 * image that was already stored.
 */
const links = (viewer: Viewer) => Prisma.sql`"EditJobImage" AS taken JOIN "EditJobImage" AS made
  ON made."imageId" = taken."imageId" AND made.role = 'OUTPUT' AND taken.role IN ('INPUT', 'MASK')
  AND made."jobId" < taken."jobId"
  AND ${visibleRows(viewer, 'taken')} AND ${visibleRows(viewer, 'made')}`;

const isThere = (viewer: Viewer, jobId: Prisma.Sql) => Prisma.sql`EXISTS (
  SELECT 1 FROM "EditJob" AS job WHERE job.id = ${jobId} AND ${visibleRows(viewer, 'job')} AND job."deletedAt" IS NULL)`;

const PARENT = Prisma.sql`made."jobId"`;
const CHILD = Prisma.sql`taken."jobId"`;
const ROLES = {
  parents: { from: CHILD, to: PARENT },
  children: { from: PARENT, to: CHILD },
} as const;

export type Relatives = keyof typeof ROLES;

/** As a subquery of its own, so that it is entered by its index for each id, however many are expected. */
const linked = (viewer: Viewer, id: Prisma.Sql, which: Relatives) => {
  const { from, to } = ROLES[which];
  return Prisma.sql`LATERAL (
    SELECT ${to} AS id FROM ${links(viewer)} WHERE ${from} = ${id} AND ${isThere(viewer, to)} OFFSET 0) AS next`;
};

const asked = (ids: readonly string[]) =>
  Prisma.sql`unnest(${[...ids]}::text[]::uuid[]) AS asked(id)`;

/** The parents or the children of edits, oldest first. */
export function relativesOf(viewer: Viewer, which: Relatives): ListSource {
  const { from, to } = ROLES[which];
  return {
    ...byId(to, 'ASC'),
    hasDuplicates: true,
    rows: (of) => Prisma.sql`${links(viewer)} WHERE ${from} = ${of} AND ${isThere(viewer, to)}`,
  };
}

/** The edits that have images as outputs (`made`), or as input images or masks (`taken`), oldest first. */
export function editsWithImage(viewer: Viewer, which: 'made' | 'taken'): ListSource {
  const roles = which === 'made' ? Prisma.sql`'OUTPUT'` : Prisma.sql`'INPUT', 'MASK'`;
  const id = Prisma.sql`link."jobId"`;
  return {
    ...byId(id, 'ASC'),
    hasDuplicates: true,
    rows: (of) => Prisma.sql`"EditJobImage" AS link
      WHERE link."imageId" = ${of} AND link.role IN (${roles}) AND ${visibleRows(viewer, 'link')}
        AND ${isThere(viewer, id)}`,
  };
}

/** The edits that repeat edits, oldest first. */
export function retriesOf(viewer: Viewer): ListSource {
  return {
    ...byId(Prisma.sql`job.id`, 'ASC'),
    hasDuplicates: false,
    rows: (of) => Prisma.sql`"EditJob" AS job
      WHERE job."retryOfId" = ${of} AND ${isInHistory(viewer)}`,
  };
}

/** For each of the ids its earliest ancestor or itself, of the first `most` ancestors of all: rows of `of`, `id`. */
export function rootsOf(viewer: Viewer, ids: readonly string[], most: number): Prisma.Sql {
  return Prisma.sql`
    WITH RECURSIVE up("of", id) AS (
      SELECT asked.id, asked.id FROM ${asked(ids)}
      UNION
      SELECT up."of", next.id FROM up CROSS JOIN ${linked(viewer, Prisma.sql`up.id`, 'parents')}
    )
    SELECT DISTINCT ON ("of") "of", id FROM (SELECT * FROM up LIMIT ${most}) AS up
    ORDER BY "of", id`;
}

/**
 * An edit, all its ancestors and all their descendants, at most `most`: rows of `id`. The edit itself
 * comes first, so that the limit never drops it. No rows if the viewer does not see the edit.
 */
export function treeOf(viewer: Viewer, id: string, most: number): Prisma.Sql {
  return Prisma.sql`
    WITH RECURSIVE up(id) AS (
      SELECT job.id FROM "EditJob" AS job
      WHERE job.id = ${id}::uuid AND ${visibleRows(viewer, 'job')} AND job."deletedAt" IS NULL
      UNION
      SELECT next.id FROM up CROSS JOIN ${linked(viewer, Prisma.sql`up.id`, 'parents')}
    ), ancestors AS (SELECT id FROM up LIMIT ${most}), down(id) AS (
      SELECT id FROM ancestors
      UNION
      SELECT next.id FROM down CROSS JOIN ${linked(viewer, Prisma.sql`down.id`, 'children')}
    )
    SELECT id FROM down LIMIT ${most}`;
}

/** The links among these, at most `most`: rows of `parentId`, `childId`, `imageId`. */
export function linksAmong(viewer: Viewer, ids: readonly string[], most: number): Prisma.Sql {
  return Prisma.sql`
    SELECT DISTINCT ${PARENT} AS "parentId", ${CHILD} AS "childId", taken."imageId" FROM ${links(viewer)}
    WHERE ${CHILD} = ANY (${[...ids]}::text[]::uuid[]) AND ${PARENT} = ANY (${[...ids]}::text[]::uuid[])
    ORDER BY "childId", "parentId", "imageId" LIMIT ${most}`;
}
