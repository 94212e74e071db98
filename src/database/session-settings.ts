/** We bound statements ourselves; waiting for a lock and running a migration may take long. */
const NO_TIMEOUTS = {
  statement_timeout: '0',
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '0',
} as const;

/**
 * Session parameters that our statements rely on, whatever the defaults of the server, database and
 * role. `default_transaction_read_only` is not among them: an administrator who sets it means it.
 */
const SETTINGS = {
  // adapter-pg writes dates without an offset and reads all as UTC.
  TimeZone: 'UTC',
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  standard_conforming_strings: 'on',
  bytea_output: 'hex',
  extra_float_digits: '1',
  // Compiling (JIT) takes longer than our statements, and each server process keeps up to 45 MB of it.
  jit: 'off',
  ...NO_TIMEOUTS,
} as const;

const statements = (set: 'SET' | 'SET LOCAL', settings: Readonly<Record<string, string>>) =>
  Object.entries(settings).map(([name, value]) => `${set} ${name} TO '${value}'`);

// A listening connection is idle as long as nothing happens.
const NEVER_IDLE = 'SET idle_session_timeout TO 0';

/** Statements for a session that only listens, so that no limit of the role ends it. */
export const LISTENING_SESSION = [...statements('SET', NO_TIMEOUTS), NEVER_IDLE].join('; ');

/** Begins a transaction that waits for locks, whatever the limits of the role are. */
export const BEGIN_PATIENTLY = [
  'BEGIN ISOLATION LEVEL READ COMMITTED',
  ...statements('SET LOCAL', NO_TIMEOUTS),
].join('; ');

const quoteName = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** Overrides only `off`: `SENT` must be on the disk before a byte is sent. */
const durable = (isLocal: boolean) =>
  `SELECT set_config('synchronous_commit', 'on', ${isLocal}) WHERE current_setting('synchronous_commit') = 'off'`;

/** Statements for a connection that is a session, such as a direct one. */
export function setSession(schema: string): string {
  return [
    ...statements('SET', SETTINGS),
    `SET search_path TO ${quoteName(schema)}`,
    `SET default_transaction_isolation TO 'read committed'`,
    NEVER_IDLE,
    `SELECT set_config('transaction_timeout', '0', false) WHERE current_setting('server_version_num')::int >= 170000`,
    durable(false),
  ].join('; ');
}

/**
 * Begins a transaction with the same parameters. Through a transaction pooler, each transaction may
 * run on another server connection, and session parameters would reach other clients.
 */
export function beginTransaction(schema: string): string {
  return [
    'BEGIN ISOLATION LEVEL READ COMMITTED',
    ...statements('SET LOCAL', SETTINGS),
    `SET LOCAL search_path TO ${quoteName(schema)}`,
    durable(true),
  ].join('; ');
}
