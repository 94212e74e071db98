import type { Transaction } from './database.ts';

/**
 * The name of the lock that the listening connection of a process holds; `hashtextextended` makes its
 * key. Postgres releases it when the process ends, however it ends.
 */
export function sessionLockName(sessionId: string): string {
  return `session ${sessionId}`;
}

/**
 * Whether the process of a session has ended, or lost its connection. The embedded database has one
 * session at a time.
 * @param sessionId Of another process, see Database.sessionId.
 */
export async function hasSessionEnded(
  tx: Pick<Transaction, '$queryRaw'>,
  sessionId: string,
): Promise<boolean> {
  const rows = await tx.$queryRaw<{ isFree: boolean }[]>`
    SELECT pg_try_advisory_xact_lock(hashtextextended(${sessionLockName(sessionId)}, 0)) AS "isFree"`;
  return rows[0]?.isFree === true;
}
