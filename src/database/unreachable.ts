import { z } from 'zod';
import { sqlStateOf } from './sql-state.ts';

/**
 * Prisma: unreachable, timed out, closed by the server, no free connection, no transaction begun, a
 * conflict with another transaction.
 */
const PRISMA_CODES = ['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2028', 'P2034'];

/** Messages of node-postgres for errors without a code. */
const MESSAGES = [
  'Query read timeout',
  'timeout exceeded when trying to connect',
  'timeout expired',
  'Connection terminated',
  'Client has encountered a connection error and is not queryable',
  'Client was closed and is not queryable',
];

/** Errors of Node's sockets and resolver. */
const NETWORK_CODES = [
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'ENOTFOUND',
  'EAI_AGAIN',
];

/**
 * SQLSTATE: connection exception, a conflict with another transaction, insufficient resources (disk,
 * memory, connections), operator intervention (shut down, starting up, a statement canceled).
 */
const PASSING_STATES = /^(08...|40001|40P01|53...|57014|57P0[1-5])$/;

/** Read-only transaction: on a standby, or by `default_transaction_read_only`. */
const READ_ONLY_STATE = '25006';

/** Names of adapter-pg for errors without SQLSTATE. */
const CONNECTION_KINDS = ['DatabaseNotReachable', 'ConnectionClosed', 'SocketTimeout'];

const cause = z.object({ kind: z.string() });

/** Wrapped by Prisma if a statement fails; unwrapped if a COMMIT fails. */
const driverSchema = z.union([
  z.object({ meta: z.object({ driverAdapterError: z.object({ cause }) }) }),
  z.object({ name: z.literal('DriverAdapterError'), cause }),
]);

/**
 * Whether the database was unreachable, went away or is read-only, so that a retry may succeed. A
 * commit in progress may have succeeded nevertheless.
 */
export function isUnreachable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (isReadOnly(error) || PASSING_STATES.test(sqlStateOf(error) ?? '')) return true;
  if (MESSAGES.some((message) => error.message.startsWith(message))) return true;
  if ('code' in error && [...PRISMA_CODES, ...NETWORK_CODES].includes(String(error.code))) {
    return true;
  }
  const parsed = driverSchema.safeParse(error);
  if (!parsed.success) return false;
  const { data } = parsed;
  const { kind } = 'meta' in data ? data.meta.driverAdapterError.cause : data.cause;
  return CONNECTION_KINDS.includes(kind);
}

/** Whether a server rejected a write as read-only. It may be a former or future primary. */
export function isReadOnly(error: unknown): boolean {
  return sqlStateOf(error) === READ_ONLY_STATE;
}
