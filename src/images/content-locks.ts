import { createHash } from 'node:crypto';
import type { Transaction } from '../database/database.ts';

/**
 * Locks contents until the transaction ends. Who writes a row of a picture, or a link to one, holds
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
  const ids = [...new Set(keys.map(lockId))].sort((a, b) => (a < b ? -1 : 1)).map(String);
  if (ids.length === 0) return;
  if (mode === 'shared') {
    await tx.$executeRaw`
      SELECT pg_advisory_xact_lock_shared(id) FROM unnest(${ids}::text[]::bigint[]) AS id`;
  } else {
    await tx.$executeRaw`
      SELECT pg_advisory_xact_lock(id) FROM unnest(${ids}::text[]::bigint[]) AS id`;
  }
}

/** Two contents with one id only wait for each other. */
function lockId(key: string): bigint {
  return createHash('sha256').update(key).digest().readBigInt64BE();
}
