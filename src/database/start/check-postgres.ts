import { databaseNames } from '../names.ts';
import type { PostgresOptions } from '../postgres.ts';
import { checkConnections } from './check-connections.ts';
import { checkListen } from './check-listen.ts';
import { checkServer } from './check-server.ts';
import { connectOnce } from './connect.ts';

/**
 * Checks the database before anything is changed in it. @throws StartError with one sentence that
 * names the setting.
 */
export async function checkPostgres(options: PostgresOptions): Promise<void> {
  const { url, directUrl, schema, poolSize, queuePoolSize } = options;
  const session =
    directUrl === null
      ? ({ url, setting: 'DATABASE_URL' } as const)
      : ({ url: directUrl, setting: 'DATABASE_DIRECT_URL' } as const);
  const client = await connectOnce(session.url, session.setting);
  try {
    await checkServer(client, session.setting, databaseNames(schema));
  } finally {
    await client.end().catch(() => {});
  }
  await checkListen({ url, directUrl });
  await checkConnections([
    { url, setting: 'DATABASE_URL', count: poolSize },
    // One more connection listens.
    { ...session, count: queuePoolSize + 1 },
  ]);
}
