import { Prisma, type Transaction } from '../../database/database.ts';

/**
 * Locks contents until the transaction ends. Who writes a row of an image, or a link to one, holds
 * its content `shared`; who removes a row or a blob holds it `exclusive`. So a blob and what refers to
 * it change one after the other, in whatever processes.
 *
 * The ids are taken in one order everywhere, and a transaction calls this once, after its locks on
 * prompts and jobs: nobody waits in a circle.
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
 * In order, each once. Two contents with one id only wait for each other. Locks are a database's:
 * another installation in it has other ids.
 */
function idsOf(contents: string[]): Prisma.Sql {
  return Prisma.sql`(
    SELECT DISTINCT hashtextextended(current_schema() || ' content ' || content, 0) AS id
    FROM unnest(${contents}::text[]) AS content ORDER BY id
  ) AS locks`;
}
