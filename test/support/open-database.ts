import { loadConfig } from '../../src/config/config.ts';
import type { Database } from '../../src/database/database.ts';
import { openPostgres } from '../../src/database/postgres.ts';
import type { Log } from '../../src/log.ts';

/** A Postgres server as the service opens it with these settings, without its checks at start. */
export function openServer(env: Record<string, string>, log: Log): Database {
  const { database } = loadConfig(env);
  if (database.kind !== 'postgres') throw new Error('DATABASE_URL is not set');
  return openPostgres({ ...database, log });
}
