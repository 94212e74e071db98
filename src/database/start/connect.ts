import pg from 'pg';
import { StartError } from '../../errors.ts';
import { clientConfig } from '../connection-pool.ts';
import { BEGIN_PATIENTLY } from '../session-settings.ts';
import { sqlStateOf } from '../sql-state.ts';

/** The settings that point to a database. */
export type UrlSetting = 'DATABASE_URL' | 'DATABASE_DIRECT_URL' | 'DATABASE_REPLICA_URL';

const TIMEOUT_MS = 15_000;

/**
 * SQLSTATE: invalid credentials, no privilege to connect, no such database. The same settings will
 * fail again, as do rejections by a pooler or by TLS.
 */
const LASTING_STATES = /^(28...|3D000|42501)$/;
const LASTING_MESSAGES =
  /no such (user|database)|unsupported startup parameter|authentication failed|SASL|does not support SSL/;
const TLS_CODES = /CERT|SELF_SIGNED|UNABLE_TO|HOSTNAME_MISMATCH|^ERR_(TLS|SSL)/;

/**
 * Opens one connection to inspect the server.
 * @param timeoutMs Of the connection, and of each statement.
 * @throws StartError
 */
export async function connectOnce(
  url: string,
  setting: UrlSetting,
  timeoutMs = TIMEOUT_MS,
): Promise<pg.Client> {
  const client = new pg.Client({
    ...clientConfig(url),
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => {});
    throw explain(error, setting);
  }
}

/**
 * Runs one statement of an inspection. Even `NOTIFY` waits for a lock, and on a busy server for longer
 * than the role may allow. In a transaction of its own, because a pooler may lend the session to
 * another client afterwards; so a client can run one at a time.
 */
export async function inspect<Row extends pg.QueryResultRow>(
  client: pg.Client,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  await client.query(BEGIN_PATIENTLY);
  try {
    const { rows } = await client.query<Row>(text, [...values]);
    await client.query('COMMIT');
    return rows;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

function explain(error: unknown, setting: UrlSetting): StartError {
  const { message = '', code = '' } = error as { message?: string; code?: string };
  const state = sqlStateOf(error) ?? '';
  // If a host has several addresses, the error has only a code.
  const reason = message || code;
  if (state === '53300') return tooManyConnections(error, setting);
  if (state === '3D000') {
    return lasting(`${setting}: ${reason}: create it, or correct its name.`, error);
  }
  if (LASTING_STATES.test(state) || LASTING_MESSAGES.test(message) || TLS_CODES.test(code)) {
    return lasting(
      `${setting}: ${reason}: correct its user, password, database and TLS parameters.`,
      error,
    );
  }
  return new StartError(
    `${setting}: the database cannot be reached (${reason}): start its server, or correct the host and port.`,
    { isTemporary: true, cause: error },
  );
}

const lasting = (message: string, cause: unknown) =>
  new StartError(message, { isTemporary: false, cause });

export function tooManyConnections(cause: unknown, setting: UrlSetting): StartError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StartError(
    `${setting}: the server has too few free connections for this process (${reason}): raise its max_connections, or lower DATABASE_POOL_SIZE and QUEUE_POOL_SIZE.`,
    { isTemporary: true, cause },
  );
}
