import type pg from 'pg';
import { Prisma } from '../generated/prisma/client.ts';
import { type DatabaseNames, databaseNames } from '../names.ts';
import type { PostgresOptions } from '../postgres.ts';
import { checkServer } from './check-server.ts';
import { connectOnce, inspect, type UrlSetting } from './connect.ts';

/** A server that passed the checks of a start, as far as they concern the server itself. */
export interface InspectedServer {
  readonly setting: UrlSetting;
  readonly version: string;
  readonly role: string;
  /** How far the server's clock is ahead of this machine's, in milliseconds. */
  readonly clockAheadMs: number;
  readonly connections: {
    /** That this role may open, besides those that are open. */
    readonly free: number;
    /** Open ones of Retouch, by this role in this database, without the one that counts. */
    readonly own: number;
    /** That a process of these settings opens. */
    readonly needed: number;
  };
  /** Existing tables of ours that this role may not read and write. */
  readonly forbiddenTables: readonly string[];
}

/**
 * Opens one connection, and changes nothing. The start opens all that it needs; next to a running
 * service, that would take them from it, so here they are counted.
 * @throws StartError
 */
export async function inspectServer(
  options: PostgresOptions,
  { now, timeoutMs }: { now: () => number; timeoutMs: number },
): Promise<InspectedServer> {
  const { url, directUrl, schema, poolSize, queuePoolSize } = options;
  const setting = directUrl === null ? 'DATABASE_URL' : 'DATABASE_DIRECT_URL';
  const names = databaseNames(schema);
  const client = await connectOnce(directUrl ?? url, setting, timeoutMs);
  try {
    await checkServer(client, setting, names);
    const clockAheadMs = await readClock(client, now);
    const { version, role, free, own } = await readConnections(client);
    return {
      setting,
      version,
      role,
      clockAheadMs,
      connections: { free, own, needed: poolSize + queuePoolSize + 1 },
      forbiddenTables: await readForbidden(client, names),
    };
  } finally {
    await client.end().catch(() => {});
  }
}

/** The server read its clock between the two readings here. */
async function readClock(client: pg.Client, now: () => number): Promise<number> {
  const sentMs = now();
  // As text: extra_float_digits of the role may round a float.
  const [row] = await inspect<{ ms: string }>(
    client,
    'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint::text AS ms',
  );
  const receivedMs = now();
  const ms = Number(row?.ms ?? receivedMs);
  if (ms < sentMs) return ms - sentMs;
  return Math.max(0, ms - receivedMs);
}

async function readConnections(client: pg.Client) {
  const [row] = await inspect<{ version: string; role: string; free: number; own: number }>(
    client,
    `WITH open AS (
       SELECT usename, datname, application_name, pid FROM pg_stat_activity
       WHERE backend_type = 'client backend'
     )
     SELECT current_setting('server_version') AS version, current_user::text AS role,
       greatest(0, least(
         current_setting('max_connections')::int
           - current_setting('superuser_reserved_connections')::int
           - coalesce(current_setting('reserved_connections', true)::int, 0)
           - (SELECT count(*) FROM open),
         (SELECT CASE WHEN rolconnlimit < 0 THEN 1000000 ELSE rolconnlimit END FROM pg_roles WHERE rolname = current_user)
           - (SELECT count(*) FROM open WHERE usename = current_user),
         (SELECT CASE WHEN datconnlimit < 0 THEN 1000000 ELSE datconnlimit END FROM pg_database WHERE datname = current_database())
           - (SELECT count(*) FROM open WHERE datname = current_database())
       ))::int + 1 AS free,
       (SELECT count(*) FROM open
        WHERE usename = current_user AND datname = current_database()
          AND application_name = 'retouch' AND pid <> pg_backend_pid())::int AS own`,
  );
  if (row === undefined) throw new Error('the server returned no information about itself');
  return row;
}

async function readForbidden(client: pg.Client, { schema, queueSchema }: DatabaseNames) {
  const privileges = ['SELECT', 'INSERT', 'UPDATE', 'DELETE']
    .map((one) => `has_table_privilege(pg_class.oid, '${one}')`)
    .join(' AND ');
  // Another application may have tables in the same schema.
  const rows = await inspect<{ name: string }>(
    client,
    `SELECT quote_ident(nspname) || '.' || quote_ident(relname) AS name
     FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
     WHERE relkind IN ('r', 'p') AND NOT (${privileges})
       AND (nspname = $2 OR (nspname = $1 AND relname = ANY ($3::text[])))
     ORDER BY 1`,
    [schema, queueSchema, [...Object.values(Prisma.ModelName), '_prisma_migrations']],
  );
  return rows.map(({ name }) => name);
}
