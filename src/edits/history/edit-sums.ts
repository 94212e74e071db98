import { z } from 'zod';
import type { Viewer } from '../../auth/viewer.ts';
import { visibleRows } from '../../auth/visible.ts';
import { Prisma, type PrismaClient } from '../../database/database.ts';

const count = z.coerce.number();
const known = z
  .union([z.bigint(), z.number(), z.string()])
  .nullable()
  .transform((sum) => (sum === null ? null : BigInt(sum)));

/** Sums over edits. Unknown tokens and costs are counted apart: they are not 0. */
export const editSumsSchema = z.object({
  edits: count,
  succeeded: count,
  /** Succeeded, failed, canceled, or of unknown outcome. */
  final: count,
  images: count,
  /** Of those that are known; null when none is. */
  totalTokens: known,
  editsWithoutTokens: count,
  /** Of those that are known; null when none is. */
  costMicroUsd: known,
  editsWithoutCost: count,
});

export type EditSums = z.infer<typeof editSumsSchema>;

/** The columns of EditSums, over rows `job` of "EditJob". */
export const EDIT_SUMS = Prisma.sql`
  count(*) AS edits,
  count(*) FILTER (WHERE job.status = 'SUCCEEDED') AS succeeded,
  count(*) FILTER (WHERE job.status NOT IN ('QUEUED', 'RUNNING')) AS final,
  coalesce(sum(job."outputCount"), 0)::bigint AS images,
  sum(job."totalTokens")::bigint AS "totalTokens",
  count(*) FILTER (WHERE job."totalTokens" IS NULL) AS "editsWithoutTokens",
  sum(job."costMicroUsd")::bigint AS "costMicroUsd",
  count(*) FILTER (WHERE job."costMicroUsd" IS NULL) AS "editsWithoutCost"`;

export async function sumEdits(
  prisma: PrismaClient,
  viewer: Viewer,
  where: Prisma.Sql,
): Promise<EditSums> {
  const [row] = await prisma.$queryRaw<unknown[]>`
    SELECT ${EDIT_SUMS} FROM "EditJob" AS job
    WHERE ${visibleRows(viewer, 'job')} AND job."deletedAt" IS NULL AND ${where}`;
  return editSumsSchema.parse(row);
}
