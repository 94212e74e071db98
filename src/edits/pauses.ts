import type { Prisma, PrismaClient } from '../database/database.ts';
import { EditErrorCode, type EditsApiError } from '../errors.ts';

/** An account without credit, or a key that is refused, is tried again after so long. */
const ACCOUNT_PAUSE_MS = 5 * 60_000;

export interface Pause {
  readonly name: string;
  readonly until: Date;
  readonly code: string;
  readonly message: string;
}

/** Which edits APIs get nothing for now, known to all processes. */
export interface Pauses {
  /** Those in force. */
  list(client?: Prisma.TransactionClient): Promise<readonly Pause[]>;
  /**
   * Pauses an upstream when its error is about all requests and not this one: no credit, a refused
   * key (5 minutes), or a `Retry-After`.
   */
  consider(name: string, error: EditsApiError): Promise<void>;
  /** Ends a pause before its time. */
  resume(name: string): Promise<void>;
}

export function createPauses({ prisma }: { prisma: PrismaClient }): Pauses {
  return {
    list: (client = prisma) => client.upstreamPause.findMany({ where: { until: { gt: new Date() } } }),
    async consider(name, { code, message, retryAfterSeconds }) {
      const pauseMs = isAboutAccount(code) ? ACCOUNT_PAUSE_MS : (retryAfterSeconds ?? 0) * 1_000;
      if (pauseMs <= 0) return;
      const until = new Date(Date.now() + pauseMs);
      await prisma.$executeRaw`
        INSERT INTO "UpstreamPause" (name, until, code, message)
        VALUES (${name}, ${until}, ${code}, ${message})
        ON CONFLICT (name) DO UPDATE SET until = excluded.until, code = excluded.code, message = excluded.message
        WHERE "UpstreamPause".until < excluded.until`;
    },
    async resume(name) {
      await prisma.upstreamPause.deleteMany({ where: { name } });
    },
  };
}

function isAboutAccount(code: EditErrorCode): boolean {
  return code === EditErrorCode.INSUFFICIENT_QUOTA || code === EditErrorCode.AUTHENTICATION_FAILED;
}
