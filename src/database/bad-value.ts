import { sqlStateOf } from './sql-state.ts';

/**
 * Whether Postgres refused a value of the client's: a NUL character, a cursor that holds no UUID,
 * a number out of range. They are SQLSTATE class 22, data exception.
 */
export function isBadValue(error: unknown): boolean {
  return sqlStateOf(error)?.startsWith('22') ?? false;
}
