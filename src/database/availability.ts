import type { Database } from './database.ts';

const TIMEOUT_MS = 2_000;

/** How long a result is reused, in milliseconds, so that checks cost at most one query a second. */
const MAX_AGE_MS = { available: 1_000, unavailable: 250 };

/**
 * Whether the database accepts reads and writes of our tables, so that requests can be rejected at
 * once instead of hanging.
 */
export interface Availability {
  /** Takes at most 2 s. True when the database was available within the last second. */
  check(): Promise<boolean>;
}

export function createAvailability({
  database,
}: {
  database: Pick<Database, 'prisma' | 'discardConnections'>;
}): Availability {
  let isAvailable = false;
  let askedMs = Number.NEGATIVE_INFINITY;
  let asking: Promise<boolean> | undefined;

  async function ask(): Promise<boolean> {
    const { promise: late, resolve } = Promise.withResolvers<false>();
    const timer = setTimeout(resolve, TIMEOUT_MS, false);
    try {
      isAvailable = await Promise.race([canWrite(), late]);
      askedMs = performance.now();
      return isAvailable;
    } finally {
      clearTimeout(timer);
    }
  }

  async function canWrite(): Promise<boolean> {
    const rows = await database.prisma.$queryRaw<{ isReadOnly: boolean }[]>`
      SELECT current_setting('transaction_read_only')::boolean AS "isReadOnly",
        EXISTS (SELECT FROM "Process") AS "isRead"`.catch(() => []);
    const [row] = rows;
    if (row?.isReadOnly) database.discardConnections();
    return row?.isReadOnly === false;
  }

  return {
    async check() {
      const maxAgeMs = isAvailable ? MAX_AGE_MS.available : MAX_AGE_MS.unavailable;
      if (performance.now() - askedMs < maxAgeMs) return isAvailable;
      asking ??= ask().finally(() => {
        asking = undefined;
      });
      return asking;
    },
  };
}
