import type { MigrationConnection, Transaction } from '../../database/database.ts';

/** In SQL: the key of the lock, one for each installation in a database. */
const KEY = `hashtextextended(current_schema() || ' backup', 0)`;

/**
 * Holds back the removal of blobs in all processes, until `release` or the end of the session, as
 * when its process is killed. False if another session holds it.
 *
 * A blob of a row that is read after this call stays: a removal that began before it found no row,
 * under a lock that the insertion of that row needs.
 */
export async function holdRemoval(session: MigrationConnection): Promise<boolean> {
  const [row] = await session.run(`SELECT pg_try_advisory_lock(${KEY}) AS taken`);
  return row?.['taken'] === true;
}

/** Needed on the embedded database, whose session goes on. */
export async function releaseRemoval(session: MigrationConnection): Promise<void> {
  await session.run(`SELECT pg_advisory_unlock(${KEY})`);
}

/** Whether a session holds it, this one included: the embedded database has no other. */
export async function isRemovalHeld(tx: Pick<Transaction, '$queryRaw'>): Promise<boolean> {
  const rows = await tx.$queryRaw<unknown[]>`
    SELECT FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND objsubid = 1
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND ((classid::bigint << 32) | objid::bigint)
        = hashtextextended(current_schema() || ' backup', 0)`;
  return rows.length > 0;
}
