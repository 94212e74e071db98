/**
 * What our statements rely on, whatever the server, the database and the role have as defaults.
 * `default_transaction_read_only` is not among them: an administrator's word, which is obeyed.
 */
const SETTINGS = {
  // adapter-pg writes a Date without an offset, and takes whatever it reads for UTC.
  TimeZone: 'UTC',
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  standard_conforming_strings: 'on',
  bytea_output: 'hex',
  extra_float_digits: '1',
  // Statements are bounded on our side; a lock is waited for, and a migration takes its time.
  statement_timeout: '0',
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '0',
} as const;

const quoteName = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** Only `off` is overruled: `SENT` must be on the disk before a byte goes out. */
const durable = (isLocal: boolean) =>
  `SELECT set_config('synchronous_commit', 'on', ${isLocal}) WHERE current_setting('synchronous_commit') = 'off'`;

/** Statements for a connection that is one session, such as a direct one. */
export function setSession(schema: string): string {
  return [
    ...Object.entries(SETTINGS).map(([name, value]) => `SET ${name} TO '${value}'`),
    `SET search_path TO ${quoteName(schema)}`,
    `SET default_transaction_isolation TO 'read committed'`,
    // A listening connection is idle for as long as nothing happens.
    'SET idle_session_timeout TO 0',
    `SELECT set_config('transaction_timeout', '0', false) WHERE current_setting('server_version_num')::int >= 170000`,
    durable(false),
  ].join('; ');
}

/**
 * The same for one transaction, which this begins: through a transaction pooler each transaction may
 * be on another server connection, and what is set for longer reaches other clients.
 */
export function beginTransaction(schema: string): string {
  return [
    'BEGIN ISOLATION LEVEL READ COMMITTED',
    ...Object.entries(SETTINGS).map(([name, value]) => `SET LOCAL ${name} TO '${value}'`),
    `SET LOCAL search_path TO ${quoteName(schema)}`,
    durable(true),
  ].join('; ');
}
