import type { PrismaClient } from '../../database/database.ts';
import type { Log } from '../../log.ts';
import { ofAllOwners } from '../visible.ts';

const FLUSH_MS = 60_000;

/** Records when keys were last used, in one statement a minute and never within a request. */
export interface LastUses {
  record(keyId: string): void;
  /** Writes what has been recorded. Idempotent. */
  stop(): Promise<void>;
}

export function createLastUses(options: {
  prisma: PrismaClient;
  log: Log;
  /** @default 60_000 */
  flushMs?: number;
}): LastUses {
  const { prisma, log, flushMs = FLUSH_MS } = options;
  let used = new Map<string, Date>();
  let timer: NodeJS.Timeout | undefined;

  async function flush(): Promise<void> {
    timer = undefined;
    const uses = used;
    used = new Map();
    if (uses.size === 0) return;
    try {
      // Another process may have written a later use.
      await ofAllOwners(prisma).$executeRaw`
        UPDATE "ApiKey" SET "lastUsedAt" = greatest("lastUsedAt", used.at)
        FROM unnest(${[...uses.keys()]}::text[]::uuid[], ${[...uses.values()].map((at) => at.toISOString())}::text[]::timestamptz[])
          AS used (id, at)
        WHERE "ApiKey".id = used.id`;
    } catch (error) {
      log.warn({ err: error }, 'could not record the last uses of API keys');
    }
  }

  return {
    record(keyId) {
      used.set(keyId, new Date());
      timer ??= setTimeout(flush, flushMs);
      timer.unref();
    },
    async stop() {
      clearTimeout(timer);
      await flush();
    },
  };
}
