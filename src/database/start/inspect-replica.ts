import { connectOnce, inspect } from './connect.ts';

/**
 * Whether the server of DATABASE_REPLICA_URL is a standby that follows another. Changes nothing.
 * @throws StartError
 */
export async function isStandby(url: string, timeoutMs: number): Promise<boolean> {
  const client = await connectOnce(url, 'DATABASE_REPLICA_URL', timeoutMs);
  try {
    const [row] = await inspect<{ follows: boolean }>(
      client,
      'SELECT pg_catalog.pg_is_in_recovery() AS follows',
    );
    return row?.follows === true;
  } finally {
    await client.end().catch(() => {});
  }
}
