import { Prisma, type Transaction } from '../../database/database.ts';

/**
 * Locks contents until the transaction ends. Writing the row of an image, or a link to it, needs
 * the lock `shared`; removing a row or a blob needs it `exclusive`. So a blob and its references
 * change one after the other, across all processes.
 *
 * To avoid deadlocks, locks are acquired in one order everywhere, and a transaction calls this
 * once, after its locks on prompts and jobs.
 *
 * @param keys of blobs, see `blobKey`
 */
export async function lockContents(
  tx: Pick<Transaction, '$executeRaw'>,
  keys: readonly string[],
  mode: 'shared' | 'exclusive',
): Promise<void> {
  const contents = [...new Set(keys)];
  if (contents.length === 0) return;
  if (mode === 'shared') {
    await tx.$executeRaw`SELECT pg_advisory_xact_lock_shared(id) FROM ${idsOf(contents)}`;
  } else {
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(id) FROM ${idsOf(contents)}`;
  }
}

/**
 * Sorted and distinct. Two contents with the same id merely wait for each other. Advisory locks
 * belong to the database, so other installations in it have other ids.
 */
function idsOf(contents: string[]): Prisma.Sql {
  return Prisma.sql`(
    SELECT DISTINCT hashtextextended(current_schema() || ' content ' || content, 0) AS id
    FROM unnest(${contents}::text[]) AS content ORDER BY id
  ) AS locks`;
}
