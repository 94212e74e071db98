import type { PrismaClient } from '../database/database.ts';
import { EDIT_ERRORS } from '../edit-error-codes.ts';
import type { EditsApiError } from '../errors.ts';

/** An account without credit, or a key that is refused, is tried again after so long. */
const ACCOUNT_PAUSE_MS = 5 * 60_000;

/** Longest `Retry-After` that is honoured: a mistaken one must not end an edits API for good. */
const MAX_PAUSE_MS = 24 * 60 * 60_000;

/** How old what is known of other processes' pauses may be, in milliseconds. */
const MAX_AGE_MS = 1_000;

export interface Pause {
  readonly name: string;
  readonly until: Date;
  readonly code: string;
  readonly message: string;
}

/** Which edits APIs get nothing for now, known to all processes. */
export interface Pauses {
  /** Those in force; another process's may be known a second late. */
  list(): Promise<readonly Pause[]>;
  /**
   * Pauses an upstream when its error is about all requests and not this one: no credit, a refused
   * key (5 minutes), or a `Retry-After` (at most a day).
   */
  consider(name: string, error: EditsApiError): Promise<void>;
  /** Ends a pause before its time. */
  resume(name: string): Promise<void>;
}

export function createPauses({ prisma }: { prisma: PrismaClient }): Pauses {
  let known: readonly Pause[] = [];
  let readMs = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;

  async function read(): Promise<void> {
    const startedMs = performance.now();
    known = await prisma.upstreamPause.findMany();
    readMs = startedMs;
  }

  return {
    async list() {
      if (performance.now() - readMs > MAX_AGE_MS) {
        reading ??= read().finally(() => {
          reading = undefined;
        });
        await reading;
      }
      return known.filter(({ until }) => until.getTime() > Date.now());
    },
    async consider(name, { code, message, retryAfterSeconds }) {
      const pauseMs = EDIT_ERRORS[code].pausesUpstream
        ? ACCOUNT_PAUSE_MS
        : Math.min((retryAfterSeconds ?? 0) * 1_000, MAX_PAUSE_MS);
      if (pauseMs <= 0) return;
      const until = new Date(Date.now() + pauseMs);
      await prisma.$executeRaw`
        INSERT INTO "UpstreamPause" (name, until, code, message)
        VALUES (${name}, ${until}, ${code}, ${message})
        ON CONFLICT (name) DO UPDATE SET until = excluded.until, code = excluded.code, message = excluded.message
        WHERE "UpstreamPause".until < excluded.until`;
      readMs = Number.NEGATIVE_INFINITY;
    },
    async resume(name) {
      await prisma.upstreamPause.deleteMany({ where: { name } });
      readMs = Number.NEGATIVE_INFINITY;
    },
  };
}
