import { StartError } from '../../errors.ts';
import { sqlStateOf } from '../sql-state.ts';
import { isUnreachable } from '../unreachable.ts';

const INSUFFICIENT_PRIVILEGE = '42501';

/**
 * Describes an error of Postgres during the start in one sentence; returns other errors as they
 * are.
 * @param setting Names the database.
 */
export function toStartError(error: unknown, setting: 'DATABASE_URL' | 'DATA_DIR'): unknown {
  if (!(error instanceof Error) || error instanceof StartError) return error;
  const reason = error.message.trim().split('\n').at(-1);
  if (sqlStateOf(error) === INSUFFICIENT_PRIVILEGE) {
    return new StartError(
      `${setting}: the role lacks a privilege (${reason}): grant it, or use another schema with ?schema=.`,
      { isTemporary: false, cause: error },
    );
  }
  if (!isUnreachable(error)) return error;
  return new StartError(
    `${setting}: the database is unavailable, or has no disk space or connections left (${reason}): start again when it is available.`,
    { isTemporary: true, cause: error },
  );
}
