import { messages, type PGlite } from '@electric-sql/pglite';

/** SQLSTATE crash_shutdown, which Postgres sends to other sessions after a panic. */
const CRASH_SHUTDOWN = '57P02';

/**
 * Postgres aborts if it cannot write or sync its log, and recovers at its next start. The instance
 * in this process must not continue: it would hang, or report lost commits as durable. Once
 * `hasAborted` is true, every statement fails.
 */
export function endWhenAborted(pglite: PGlite, hasAborted: () => boolean): PGlite {
  const exec = pglite.execProtocolStream.bind(pglite);
  pglite.execProtocolStream = async (...args) => {
    if (hasAborted()) throw aborted();
    try {
      const answer = await exec(...args);
      if (!hasAborted()) return answer;
    } catch (error) {
      if (!hasAborted()) throw error;
      throw aborted(error);
    }
    throw aborted();
  };
  return pglite;
}

function aborted(cause?: unknown): messages.DatabaseError {
  const reason = cause instanceof Error ? `: ${cause.message}` : '';
  const error = new messages.DatabaseError(
    `The embedded database has stopped${reason}`,
    0,
    'error',
  );
  return Object.assign(error, { code: CRASH_SHUTDOWN, severity: 'FATAL', cause });
}
