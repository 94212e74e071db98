import type pg from 'pg';
import { sqlStateOf } from '../sql-state.ts';
import { connectOnce, tooManyConnections, type UrlSetting } from './connect.ts';

/**
 * Opens as many connections as this process may need at once, because a shortage would otherwise
 * show only under load.
 * @throws StartError
 */
export async function checkConnections(
  needs: readonly { url: string; setting: UrlSetting; count: number }[],
): Promise<void> {
  const clients: pg.Client[] = [];
  try {
    const made = await Promise.allSettled(
      needs.flatMap(({ url, setting, count }) =>
        Array.from({ length: count }, async () => {
          const client = await connectOnce(url, setting);
          clients.push(client);
          // A pooler connects to the server only for a statement.
          await client.query('SELECT 1').catch((error: unknown) => {
            throw isLack(error) ? tooManyConnections(error, setting) : error;
          });
        }),
      ),
    );
    const failed = made.find((one) => one.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  } finally {
    await Promise.all(clients.map((client) => client.end().catch(() => {})));
  }
}

/** A pooler makes its clients wait. */
function isLack(error: unknown): boolean {
  return (
    sqlStateOf(error)?.startsWith('53') === true ||
    (error instanceof Error && /Query read timeout|query_wait_timeout/.test(error.message))
  );
}
