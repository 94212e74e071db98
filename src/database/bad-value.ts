import { sqlStateOf } from './sql-state.ts';

/**
 * Whether Postgres rejected a value of the client (SQLSTATE class 22, data exception): a NUL
 * character, a malformed UUID in a cursor, a number out of range.
 */
export function isBadValue(error: unknown): boolean {
  return sqlStateOf(error)?.startsWith('22') ?? false;
}
