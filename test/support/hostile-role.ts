import pg from 'pg';

/** Who the service is on a test server: no superuser, and with defaults that suit nobody. */
export const ROLE = 'retouch_tester';
const PASSWORD = 'tester';

/** Where our tables are: the role has no right to create any in `public`. */
export const SCHEMA = 'studio';

/** A database with our tables, and one without, as databases are found. */
export const TEMPLATE = 'retouch_template';
export const EMPTY_TEMPLATE = 'retouch_empty_template';

/** Each is legal, and breaks whoever relies on Postgres's own defaults. */
const SETTINGS = {
  TimeZone: 'Asia/Kolkata',
  DateStyle: 'SQL, DMY',
  IntervalStyle: 'sql_standard',
  bytea_output: 'escape',
  extra_float_digits: '-10',
  standard_conforming_strings: 'off',
  default_transaction_isolation: 'serializable',
  synchronous_commit: 'off',
  statement_timeout: '1s',
  lock_timeout: '10ms',
  idle_in_transaction_session_timeout: '1s',
  // Beyond what a busy machine takes from a connection to its first statement.
  idle_session_timeout: '20s',
};

/** The same for a whole server, but for what would end the sessions of the tests themselves. */
export const SERVER_OPTIONS = Object.entries(SETTINGS)
  .filter(([name]) => !name.endsWith('_timeout'))
  .map(([name, value]) => `--${name.replaceAll('_', '-')}=${value}`);

/** The service's URL of a database of this server. */
export function urlOfRole(server: string, database: string, schema = SCHEMA): string {
  const url = new URL(server);
  url.username = ROLE;
  url.password = PASSWORD;
  url.pathname = `/${database}`;
  url.searchParams.set('schema', schema);
  return url.href;
}

/** The role, with its defaults. */
export async function createHostileRole(server: string): Promise<void> {
  await onServer(
    server,
    `DO $$ BEGIN CREATE ROLE ${ROLE} LOGIN PASSWORD '${PASSWORD}'; EXCEPTION WHEN duplicate_object THEN END $$`,
    ...Object.entries(SETTINGS).map(
      ([name, value]) => `ALTER ROLE ${ROLE} SET ${name} TO '${value}'`,
    ),
  );
}

/** Fails while the role still owns something, as another run of the tests may. */
export function dropHostileRole(server: string): Promise<void> {
  return onServer(server, `DROP ROLE IF EXISTS ${ROLE}`).catch(() => {});
}

/**
 * Makes an empty database one that the role may create schemas in, but no tables in `public`. Its
 * search path begins with a schema named after it, which has tables with the names of ours.
 */
export async function furnish(server: string, database: string): Promise<void> {
  const url = new URL(server);
  url.pathname = `/${database}`;
  await onServer(
    url.href,
    `GRANT CREATE ON DATABASE ${database} TO ${ROLE}`,
    'REVOKE CREATE ON SCHEMA public FROM PUBLIC',
    ...decoys(ROLE),
    `GRANT USAGE, CREATE ON SCHEMA ${ROLE} TO ${ROLE}`,
  );
}

/** A schema named after a role, with tables that are not ours. */
export function decoys(role: string): string[] {
  return [
    `CREATE SCHEMA ${role}`,
    `CREATE TABLE ${role}."EditJob" (decoy int)`,
    `CREATE TABLE ${role}."Prompt" (decoy int)`,
    `CREATE TABLE ${role}."Process" (decoy int)`,
    `CREATE TABLE ${role}._prisma_migrations (decoy int)`,
  ];
}

export async function onServer(url: string, ...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}
