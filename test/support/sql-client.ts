import pg from 'pg';
import { inject } from 'vitest';
import { parseDatabaseUrl } from '../../src/config/database-url.ts';
import { Prisma } from '../../src/database/database.ts';
import { databaseNames } from '../../src/database/names.ts';
import { setSession } from '../../src/database/session-settings.ts';
import { SCHEMA } from './hostile-role.ts';

/** A session beside the service's own, in the same schema and with the same settings. */
export async function connectTo(databaseUrl = ''): Promise<pg.Client> {
  const { url, schema } = parseDatabaseUrl(databaseUrl);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(setSession(schema));
  return client;
}

const { queueSchema } = databaseNames(inject('databaseKind') === 'pglite' ? 'public' : SCHEMA);

/** Of the queue, in a database of `createTestDatabase`. */
export const JOB_TABLE = Prisma.raw(`${queueSchema}.job`);
/** Its kinds of jobs. */
export const QUEUE_TABLE = Prisma.raw(`${queueSchema}.queue`);
